"""Targets of the fuzzer: the product's readers of files."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import yaml
from hypothesis import strategies as st

from rehab_pose.bags.image_folders import ImageFolders
from rehab_pose.bags.reader import BagReader
from rehab_pose.biomechanics.angle_model import SHIPPED_MODEL, load_angle_model
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.capture.settings import CaptureSettings
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.exercise.definition import read_definition
from rehab_pose.exercise.exercise_library import SHIPPED_FOLDER
from rehab_pose.exercise.repetition_quality import SHIPPED_NORMS, load_norms
from rehab_pose.session.fhir_bundle import fhir_bundle
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal import Journal, read_journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.repetition_csv import repetition_csv
from rehab_pose.session.report import session_lines
from rehab_pose.session.reports.session_page import session_page
from rehab_pose.session.reports.trend_page import trend_page
from rehab_pose_lab.benchmarks.damaged_bags import LAYOUTS, write_bags
from rehab_pose_lab.fuzzing.message_examples import example_repetition
from rehab_pose_lab.fuzzing.mutations import edited, json_files, odd_arrays, yaml_files
from rehab_pose_lab.fuzzing.plausibility import implausible
from rehab_pose_lab.fuzzing.targets import Pace, Prepared, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

__all__ = ["FILE_TARGETS", "file_target"]

CAMERA: dict[str, Any] = {"width": 16, "height": 12, "fx": 20.0, "fy": 20.0, "cx": 7.5, "cy": 5.5}
MOTION = [[1.0, 0.0, 0.0, 0.05], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
OPEN3D = {"width": 16, "height": 12, "intrinsic_matrix": [20.0, 0.0, 0.0, 0.0, 20.0, 0.0, 7.5, 5.5, 1.0]}
PARAMETERS = {"/**": {"ros__parameters": {"silhouette": {"method": "depth"}, "capture.mounting": "auto"}}}
LENS = {**CAMERA, "distortion_model": "plumb_bob", "d": [0.1, -0.2, 0.001, 0.0, 0.05]}


def file_target(
    name: str,
    file: str,
    inputs: Callable[[], SearchStrategy[bytes]],
    read: Callable[[Path], Any],
    *,
    pace: Pace = Pace.USUAL,
) -> Target:
    """Return a target whose input is the content of a file.

    Args:
        name: Name of the target.
        file: Name of the file.
        inputs: Makes the strategy of the content.
        read: Reads the file and returns what is checked for plausibility.
        pace: Time that an input takes.
    """

    def prepare(folder: Path) -> Prepared:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)

        def read_content(content: bytes) -> str:
            path.write_bytes(content)
            return implausible(read(path))

        return Prepared(inputs(), read_content)

    return Target(name, prepare, pace=pace)


def _settings_target() -> Target:
    values = {"pairing_slop_s": 0.02, "pairing_queue": 10}
    odd = st.dictionaries(
        st.sampled_from((*values, "x")),
        st.one_of(st.floats(), st.integers(), st.text(max_size=3), st.none()),
        max_size=3,
    )

    def read(content: dict[str, Any]) -> str:
        return implausible(CaptureSettings.from_mapping(content))

    return Target("settings", lambda _: Prepared(odd, read), pace=Pace.FAST)


def _angles() -> SearchStrategy[bytes]:
    content = yaml.safe_load(SHIPPED_MODEL.read_text(encoding="utf-8"))
    return yaml_files({**content, "angles": content["angles"][:2]})


def _definitions() -> SearchStrategy[bytes]:
    files = sorted(SHIPPED_FOLDER.glob("*.yaml"))
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files[:3]]
    return yaml_files(*({**content, "name": "movement"} for content in contents))


def _norms(path: Path) -> None:
    load_norms.cache_clear()
    load_norms(path)


def _journal_target() -> Target:
    def prepare(folder: Path) -> Prepared:
        journal = Journal.begin(folder, JournalHeader("s1", "p7", started="2026-11-27T14:05:33+01:00"))
        movement = RepetitionMovement(((0, 0, 0),) * 24, (("left_knee_flexion", 4, 92),), 0.5, 0.9)
        journal.add_repetition(example_repetition(), counted=True, movement=movement)
        journal.add("gap", reason="no_person", start_ns=5, end_ns=10**9)
        journal.add("observed", frames=1, first_ns=1, last_ns=3)
        journal.add("recording", path="recording", state="failed", message="full")
        journal.add("end", state="done", message="stopped")
        journal.close()
        path = folder / JOURNAL
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        whole = json_files(lines).map(_as_lines)
        inputs = st.one_of(whole, edited(path.read_bytes()))

        def read(content: bytes) -> str:
            path.write_bytes(content)
            journalled = read_journal(folder)
            session_lines(journalled)
            session_page(journalled)
            trend_page("p7", [journalled])
            repetition_csv(journalled)
            json.dumps(fhir_bundle(journalled), allow_nan=False)
            return implausible([entry.repetition for entry in journalled.repetitions])

        return Prepared(inputs, read)

    return Target("session journal", prepare)


def _as_lines(data: bytes) -> bytes:
    """Return a JSON list as one line an entry; other content unchanged."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return b"\n".join(json.dumps(entry).encode() for entry in content) if isinstance(content, list) else data


def _bag_target(layout: str) -> Target:
    def prepare(folder: Path) -> Prepared:
        files = write_bags(folder / "whole", frames=2, labels=2)
        file = files[layout]
        path = folder / f"bag{file.suffix}"

        def read(content: bytes) -> str:
            path.write_bytes(content)
            with BagReader(path) as reader:
                for _ in reader.messages():
                    pass
                return implausible(list(reader.frames()))

        return Prepared(edited(file.read_bytes()), read)

    return Target(f"bag {layout}", prepare, pace=Pace.SLOW)


def _metadata_target() -> Target:
    def prepare(folder: Path) -> Prepared:
        bag = write_bags(folder / "whole", frames=2, labels=2)["mcap"].parent
        path = bag / "metadata.yaml"
        inputs = yaml_files(yaml.safe_load(path.read_text(encoding="utf-8")))

        def read(content: bytes) -> str:
            path.write_bytes(content)
            with BagReader(bag) as reader:
                return implausible(list(reader.frames()))

        return Prepared(inputs, read)

    return Target("bag metadata", prepare, pace=Pace.SLOW)


def _image_folder_target() -> Target:
    def prepare(folder: Path) -> Prepared:
        color, depth = folder / "color", folder / "depth"
        shutil.rmtree(folder, ignore_errors=True)
        color.mkdir(parents=True)
        depth.mkdir()
        (folder / "camera.json").write_text(json.dumps(CAMERA), encoding="utf-8")
        rgb, deep = np.full((12, 16, 3), 90, np.uint8), np.full((12, 16), 2000, np.uint16)
        files = [bytes(cv2.imencode(ending, pixels)[1]) for ending, pixels in ((".png", rgb), (".jpg", rgb))]
        deep_file = bytes(cv2.imencode(".png", deep)[1])
        other = odd_arrays(deep).filter(
            lambda array: array.dtype in (np.uint8, np.uint16) and array.ndim == 2 and array.size
        )
        drawn = other.map(lambda array: bytes(cv2.imencode(".png", array)[1]))
        inputs = st.tuples(
            st.one_of(st.sampled_from(files), edited(*files)), st.one_of(st.just(deep_file), edited(deep_file), drawn)
        )

        def read(pair: tuple[bytes, bytes]) -> str:
            (color / "1.png").write_bytes(pair[0])
            (depth / "1.png").write_bytes(pair[1])
            folders = ImageFolders(depth, read_calibration(folder / "camera.json"), color)
            folders.check()
            return implausible([frame for _, frame in folders.frames()])

        return Prepared(inputs, read)

    return Target("image folders", prepare)


FILE_TARGETS = (
    *(_bag_target(layout) for layout in LAYOUTS),
    _metadata_target(),
    _image_folder_target(),
    file_target(
        "calibration file",
        "camera.json",
        lambda: json_files(CAMERA, OPEN3D, LENS, {**LENS, "depth": CAMERA, "color_from_depth": MOTION}),
        read_calibration,
    ),
    file_target("exercise definition", "movement.yaml", _definitions, read_definition),
    file_target(
        "angle model",
        "angles.yaml",
        _angles,
        lambda path: load_angle_model(str(path)),
    ),
    file_target(
        "repetition norms",
        "norms.json",
        lambda: json_files(json.loads(SHIPPED_NORMS.read_text(encoding="utf-8"))),
        _norms,
    ),
    file_target(
        "parameter file",
        "params.yaml",
        lambda: yaml_files(
            {"/**": {"ros__parameters": {"silhouette": {"method": "depth"}, "capture.mounting": "auto"}}}
        ),
        stage_settings,
    ),
    _settings_target(),
    _journal_target(),
)
