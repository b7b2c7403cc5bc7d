"""Tables of a recording: pandas for frames and repetitions, xarray for arrays with named dimensions and units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.optional_packages import optional_package
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rehab_pose.datatypes import Repetition
    from rehab_pose.recording.recording import Recording

__all__ = ["dataset", "frame_table", "repetition_table"]

AXES = ("x", "y", "z")


def frame_table(recording: Recording) -> pd.DataFrame:
    """Return one row a frame, indexed by `stamp_ns`.

    Columns: `time_s` since the first frame; `left_knee_x_m`, ..., `left_knee_confidence` for each joint, in the
    camera's optical frame; `left_knee_flexion_deg`, ... for each joint angle; `exercise` and `exercise_confidence`.
    Missing values are NaN.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    pandas = optional_package("pandas", "exports")
    joints, angles, exercise = recording.joints, recording.angles, recording.exercise
    columns = [f"{name}_{axis}_m" for name in joints.names for axis in AXES]
    positions = joints.positions_m.reshape(len(joints.stamps_ns), -1)
    parts = [
        pandas.DataFrame(positions, index=joints.stamps_ns, columns=columns),
        pandas.DataFrame(
            joints.confidence, index=joints.stamps_ns, columns=[f"{name}_confidence" for name in joints.names]
        ),
        pandas.DataFrame(angles.angles_deg, index=angles.stamps_ns, columns=[f"{name}_deg" for name in angles.names]),
        pandas.DataFrame(
            {"exercise": list(exercise.labels), "exercise_confidence": exercise.confidence}, index=exercise.stamps_ns
        ),
    ]
    # A topic of a live recording may lack frames, and a driver may give two frames one stamp: the first one counts.
    table = pandas.concat([part[~part.index.duplicated()] for part in parts], axis=1, sort=True)
    table.index.name = "stamp_ns"
    stamps = table.index.to_numpy()
    table.insert(0, "time_s", (stamps - stamps[0]) / NS_PER_S if len(stamps) else np.empty(0))
    return table


def repetition_table(recording: Recording) -> pd.DataFrame:
    """Return one row a repetition, with units at the end of the columns' names.

    `minimum` and `maximum` of the counted signal are in degrees or metres, as `unit` says; times are since the first
    frame. Missing values are NaN.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    stamps_ns = recording.stamps_ns
    start_ns = int(stamps_ns[0]) if len(stamps_ns) else 0
    return optional_package("pandas", "exports").DataFrame(
        [_repetition_row(repetition, start_ns) for repetition in recording.repetitions]
    )


def _repetition_row(repetition: Repetition, start_ns: int) -> dict[str, Any]:
    signal, _, unit = repetition.signal_name.rpartition("_")
    in_degrees = unit == "rad"
    minimum, maximum = repetition.signal_minimum, repetition.signal_maximum
    return {
        "exercise": repetition.label,
        "number": repetition.count,
        "side": repetition.side.name.lower(),
        "start_s": (repetition.start_ns - start_ns) / NS_PER_S,
        "turn_s": (repetition.turn_ns - start_ns) / NS_PER_S if repetition.turn_ns else np.nan,
        "end_s": (repetition.end_ns - start_ns) / NS_PER_S,
        "signal": signal,
        "unit": "deg" if in_degrees else unit,
        "minimum": np.degrees(minimum) if in_degrees else minimum,
        "maximum": np.degrees(maximum) if in_degrees else maximum,
        "smoothness": repetition.smoothness,
        "asymmetry": repetition.asymmetry,
        "quality": repetition.quality,
        "quality_low": repetition.quality_low,
        "quality_high": repetition.quality_high,
        "reasons": "; ".join(repetition.reasons),
    }


def dataset(recording: Recording) -> xr.Dataset:
    """Return joints (time, joint, axis) [m], angles (time, angle) [deg] and exercise (time), aligned by stamp.

    Raises:
        MissingDependencyError: xarray is not installed.
    """
    xarray = optional_package("xarray", "exports")
    joints, angles, exercise = recording.joints, recording.angles, recording.exercise
    labels = np.array(exercise.labels, dtype=object)
    arrays = {
        "position": (joints.stamps_ns, ("joint", "axis"), joints.positions_m, "m"),
        "confidence": (joints.stamps_ns, ("joint",), joints.confidence, "1"),
        "angle": (angles.stamps_ns, ("angle_name",), angles.angles_deg, "degree"),
        "angle_confidence": (angles.stamps_ns, ("angle_name",), angles.confidence, "1"),
        "exercise": (exercise.stamps_ns, (), labels, ""),
        "exercise_confidence": (exercise.stamps_ns, (), exercise.confidence, "1"),
    }
    names = {"joint": list(joints.names), "axis": list(AXES), "angle_name": list(angles.names)}
    found = {}
    for name, (stamps_ns, dimensions, values, unit) in arrays.items():
        _, first = np.unique(stamps_ns, return_index=True)
        coordinates: dict[str, Any] = {"stamp_ns": stamps_ns[first]} | {key: names[key] for key in dimensions}
        attributes = {"units": unit} if unit else {}
        found[name] = xarray.DataArray(
            values[first], coords=coordinates, dims=("stamp_ns", *dimensions), name=name, attrs=attributes
        )
    result: xr.Dataset = xarray.merge(list(found.values()), join="outer", combine_attrs="drop_conflicts")
    result.attrs = {"frame": "the colour camera's optical frame: x right, y down, z forward"}
    return result
