"""A session as a FHIR Bundle of Observations (R4 and R5; both define the used elements alike), with UCUM units.

Our measures have no LOINC or SNOMED CT codes, so none are claimed: their codes are of a code system of our own, whose
URI is a UUID and which docs/reports.md lists. The person is a logical reference by the session's code: no Patient.
"""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any

from rehab_pose.biomechanics.display_names import angle_display_name
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.session.report_observation import observation_facts
from rehab_pose.session.reports.measures import measures_of
from rehab_pose.session.wall_clock import start_time, wall_time

if TYPE_CHECKING:
    from rehab_pose.session.journal_content import JournalContent, JournalledRepetition

__all__ = ["CODE_SYSTEM", "FHIR_VERSIONS", "fhir_bundle"]

FHIR_VERSIONS = ("R4", "R5")
NAMESPACE = uuid.UUID("6f0d5c7e-3a55-4f0e-9d0a-2f6b8f1c7a10")
"""Namespace of the ids of resources (RFC 4122, version 5): the same session gives the same ids. Drawn at random."""
CODE_SYSTEM = f"urn:uuid:{uuid.uuid5(NAMESPACE, 'measures')}"
"""URI of the code system of our measures."""
PERSON_SYSTEM = f"urn:uuid:{uuid.uuid5(NAMESPACE, 'persons')}"
"""URI of the namespace of codes of persons; a clinic replaces it by its own."""
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
DIGITS = 4


def fhir_bundle(content: JournalContent) -> dict[str, Any]:
    """Return a Bundle (type collection): an Observation of the session, whose members are those of its repetitions."""
    name = _key(content)
    members = [_repetition(content, entry, f"{name}/{index}") for index, entry in enumerate(content.repetitions)]
    session = _session(content, [resource["id"] for resource in members])
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid5(NAMESPACE, f"{name}/bundle")),
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{entry['id']}", "resource": entry} for entry in (session, *members)],
    }


def _key(content: JournalContent) -> str:
    """Return what tells this session from all others of a clinic."""
    return f"{content.header.subject_code}/{content.header.session_id}"


def _session(content: JournalContent, members: list[str]) -> dict[str, Any]:
    header, facts = content.header, observation_facts(content)
    exercise = exercise_display_name(header.exercise) if header.exercise else "any exercise"
    components = [
        _amount("counted-repetitions", "Counted repetitions", float(len(content.counted)), "{repetitions}"),
        _amount("duration", "Duration of the session", facts["duration_s"], "s"),
        _amount("observed-time", "Time with the person in view", facts["observed_s"], "s"),
    ]
    if header.target:
        components.insert(
            1, _amount("target-repetitions", "Planned repetitions", float(header.target), "{repetitions}")
        )
    resource = _observation(content, f"{_key(content)}/session", "exercise-session", "Session of an exercise")
    started = start_time(content)
    if started is not None:
        resource["effectiveDateTime"] = started.isoformat(timespec="seconds")
    resource["valueString"] = exercise
    resource["component"] = components
    if members:
        resource["hasMember"] = [{"reference": f"urn:uuid:{member}"} for member in members]
    notes = [text for text in (*content.notes, content.message) if text]
    if notes:
        resource["note"] = [{"text": text} for text in notes]
    return resource


def _repetition(content: JournalContent, entry: JournalledRepetition, key: str) -> dict[str, Any]:
    repetition, measures = entry.repetition, measures_of(entry)
    resource = _observation(content, key, "repetition", "Repetition of an exercise")
    start, end = (wall_time(content, stamp_ns) for stamp_ns in (repetition.start_ns, repetition.end_ns))
    if start is not None and end is not None:
        resource["effectivePeriod"] = {
            "start": start.isoformat(timespec="milliseconds"),
            "end": end.isoformat(timespec="milliseconds"),
        }
    resource["valueString"] = exercise_display_name(repetition.label)
    unit = {"°": "deg", " cm": "cm"}.get(measures.unit, "1")
    components = [
        _amount("number", "Number of the repetition in its set", float(repetition.count), "1"),
        _amount("range", f"Range of {repetition.signal_name.rpartition('_')[0]}", measures.range, unit),
        _amount("duration", "Duration", measures.total_s, "s"),
        _amount("out-time", "Time to the far point", measures.out_s, "s"),
        _amount("back-time", "Time back from the far point", measures.back_s, "s"),
        _amount("hold-time", "Time at the far point", measures.hold_s, "s"),
        _amount("smoothness", "Smoothness, spectral arc length", repetition.smoothness, "1"),
        _amount("asymmetry", "(left - right) / (left + right) of the ranges", repetition.asymmetry, "1"),
        _amount("quality", "Quality, 0 to 1", repetition.quality, "1", repetition.quality_withheld),
    ]
    if math.isfinite(repetition.quality_low) and math.isfinite(repetition.quality_high):
        components.append(
            _range("quality-interval", "95 % interval of the quality", repetition.quality_low, repetition.quality_high)
        )
    if entry.movement is not None:
        components.append(_amount("tracking", "Median confidence of the joints", entry.movement.tracking, "1"))
        components += [
            _range(f"angle-range.{name}", f"Smallest and largest {angle_display_name(name)}", low, high, "deg")
            for name, low, high in entry.movement.angles_deg
        ]
    resource["component"] = components
    notes = [*repetition.reasons, *([] if entry.counted else ["not counted: another exercise or side was planned"])]
    if notes:
        resource["note"] = [{"text": text} for text in notes]
    return resource


def _observation(content: JournalContent, key: str, code: str, display: str) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": str(uuid.uuid5(NAMESPACE, key)),
        "status": "final" if content.ended else "preliminary",
        "category": [{"coding": [{"system": CATEGORY, "code": "activity", "display": "Activity"}]}],
        "code": _code(code, display),
    }
    if content.header.subject_code:
        identifier = {"system": PERSON_SYSTEM, "value": content.header.subject_code}
        resource["subject"] = {"type": "Patient", "identifier": identifier}
    if content.header.software:
        resource["device"] = {"display": content.header.software}
    return resource


def _code(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": CODE_SYSTEM, "code": code, "display": display}], "text": display}


def _amount(code: str, display: str, value: float, unit: str, absent: str = "") -> dict[str, Any]:
    """Return a component with a Quantity, or with the reason why there is none."""
    component: dict[str, Any] = {"code": _code(code, display)}
    if math.isfinite(value):
        component["valueQuantity"] = _quantity(value, unit)
    else:
        coding = {"system": ABSENT, "code": "unknown", "display": "Unknown"}
        component["dataAbsentReason"] = {"coding": [coding], "text": absent or "not measured"}
    return component


def _range(code: str, display: str, low: float, high: float, unit: str = "1") -> dict[str, Any]:
    ends = {"low": _quantity(low, unit), "high": _quantity(high, unit)}
    return {"code": _code(code, display), "valueRange": ends}


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": round(value, DIGITS), "unit": unit, "system": UCUM, "code": unit}
