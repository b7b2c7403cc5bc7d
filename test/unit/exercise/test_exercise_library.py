"""The library of exercises: what is shipped, what a user adds, and files that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.definition import MAX_FILE_BYTES, ExerciseDefinition, definition_text, read_definition
from rehab_pose.exercise.exercise_library import SHIPPED_FOLDER, ExerciseLibrary, shipped_library, user_folder


def content(name: str = "squat") -> dict[str, object]:
    """Return the entries of a shipped file."""
    loaded = yaml.safe_load((SHIPPED_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def written(folder: Path, entries: object, name: str = "squat") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(entries if isinstance(entries, str) else yaml.safe_dump(entries), encoding="utf-8")
    return path


def test_the_exercises_of_the_network_are_shipped() -> None:
    assert set(EXERCISES) <= set(shipped_library().names)


@pytest.mark.parametrize("name", shipped_library().names)
def test_a_definition_survives_being_written(tmp_path: Path, name: str) -> None:
    definition = shipped_library().definition(name)
    path = written(tmp_path, definition_text(definition), name)
    assert read_definition(path) == definition


def test_the_users_exercises_are_added_and_replace_shipped_ones(tmp_path: Path) -> None:
    own = content() | {"title": "My squat"}
    written(tmp_path, own)
    written(tmp_path, own | {"name": "zigzag"}, "zigzag")
    library = ExerciseLibrary.load(tmp_path)
    assert set(library.names) == {*shipped_library().names, "zigzag"}
    assert library.definition("squat").title == "My squat"
    assert shipped_library().definition("squat").title == "Squat"


def test_the_default_folder_follows_the_base_directory_specification(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "rehab_pose" / "exercises"
    assert ExerciseLibrary.load().names == tuple(sorted(shipped_library().names))  # it need not exist
    user_folder().mkdir(parents=True)
    written(user_folder(), content() | {"name": "zigzag"}, "zigzag")
    assert "zigzag" in ExerciseLibrary.load().names
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert user_folder() == Path.home() / ".local" / "share" / "rehab_pose" / "exercises"


def test_names_and_folders_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="squat"):
        shipped_library().definition("no_such")
    with pytest.raises(InputError, match="found none at"):
        ExerciseLibrary.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sides": "left"}, "sides: expected one of both"),
        ({"posture": "floating"}, "posture: expected one of standing"),
        ({"hold_s": -1}, "hold_s: expected a number from 0"),
        ({"hold_s": True}, "hold_s"),
        ({"hold_s": float("nan")}, "hold_s"),
        ({"hold_s": 10**400}, "hold_s"),
        ({"repetition_s": [5, 2]}, "repetition_s: expected two increasing"),
        ({"repetition_s": [5]}, "repetition_s: expected two numbers"),
        ({"name": "Squat"}, "name: expected a name"),
        ({"name": "none"}, "name: expected another name"),
        ({"name": "other"}, "expected name: squat"),
        ({"title": "  "}, "title: expected a text"),
        ({"good": "x" * 3000}, "good: expected a text"),
        ({"weight": 3}, "unknown: weight"),
        ({"signal": "height(pelvis)"}, "signal: expected the entries"),
    ],
)
def test_wrong_entries_are_named_with_the_file(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = written(tmp_path, content() | change)
    with pytest.raises(InputError, match=words) as error:
        read_definition(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "pelvis_drop"}, "signal: name: expected a name"),
        ({"expression": "height(toe)"}, "expression: signal expression 'height.toe.'"),
        ({"limb": "height(knee)"}, "limb: signal expression"),
        ({"minimum_range": 0}, "minimum_range"),
        ({"typical_range": [1, 0]}, "typical_range"),
    ],
)
def test_wrong_signals_are_named_with_the_file(tmp_path: Path, change: dict[str, object], words: str) -> None:
    entries = content()
    signal = entries["signal"]
    assert isinstance(signal, dict)
    path = written(tmp_path, entries | {"signal": signal | change})
    with pytest.raises(InputError, match=words):
        read_definition(path)


def test_files_that_are_no_definition_are_refused(tmp_path: Path) -> None:
    for text, words in (
        ("", "expected the entries"),
        ("- a", "expected the entries"),
        ("a: [", "expected YAML"),
        ("!!python/object/apply:os.getcwd []", "expected YAML"),
        ("a: 1\na: 2", "every entry once"),
        ("a: " + "x" * MAX_FILE_BYTES, "at most"),
    ):
        with pytest.raises(InputError, match=words):
            read_definition(written(tmp_path, text))
    with pytest.raises(InputError, match="readable"):
        read_definition(tmp_path / "none.yaml")
    (tmp_path / "squat.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="readable"):
        read_definition(tmp_path / "squat.yaml")


@pytest.mark.parametrize("definition", shipped_library().definitions, ids=lambda definition: definition.name)
def test_signals_of_lying_people_need_no_direction_but_gravity(definition: ExerciseDefinition) -> None:
    # The left and the front of a person who lies on one side are undefined.
    expressions = [definition.signal.parsed]
    if definition.signal.limb:
        expressions += [definition.signal.limb_parsed(side) for side in ("left", "right")]
    if definition.posture not in {"standing", "chair"}:
        assert not any(expression.needs_frame for expression in expressions)
    # One side at a time: the limb tells which.
    assert definition.sides != "single" or definition.signal.limb


@pytest.mark.parametrize("definition", shipped_library().definitions, ids=lambda definition: definition.name)
def test_shipped_definitions_are_plausible(definition: ExerciseDefinition) -> None:
    signal, (shortest_s, longest_s) = definition.signal, definition.repetition_s
    assert signal.minimum_range < 0.5 * (signal.typical_range[1] - signal.typical_range[0])
    assert shortest_s + definition.hold_s <= longest_s
    assert definition.hold_s <= 60.0
    assert len(definition.source) > 20
