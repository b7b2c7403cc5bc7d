"""The definition of an exercise, read strictly from YAML: unknown, missing and wrong entries are errors."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

import yaml

from rehab_pose.errors import InputError
from rehab_pose.exercise.signal_expression import SignalExpression, of_side, parse_expression

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["POSTURES", "SIDES", "ExerciseDefinition", "SignalDefinition", "definition_text", "read_definition"]

POSTURES = (
    *("standing", "chair", "supine", "crook_lying", "prone", "side_lying", "all_fours", "kneeling", "half_kneeling"),
    *("long_sitting", "side_plank"),
)
"""Postures in which an exercise is done."""
SIDES = ("both", "alternating", "single")
"""both: the body moves as one. alternating: a repetition goes to the left and to the right; its signal is positive
towards the left. single: one side at a time; a repetition is one movement of one side."""
MAX_FILE_BYTES = 16_384
"""Largest file; chosen by hand, eight times the largest shipped one [bytes]."""
MAX_WORDS = 2000
"""Longest text of an entry, in characters; chosen by hand."""
LONGEST_S = 120.0
"""Upper limit of the duration of a repetition and of a hold [s]."""
LARGEST_VALUE = 10.0
"""Largest value of a signal, its range included [rad or m]: more than a turn, and more than a room's depth."""
_NAME = re.compile(r"[a-z][a-z0-9_]{1,48}")
_SIGNAL_NAME = re.compile(r"[a-z][a-z0-9_]{1,48}_(rad|m)")


@dataclass(frozen=True)
class SignalDefinition:
    """The scalar signal whose cycles are the repetitions of an exercise."""

    name: str
    """Name, which ends in its unit, `_rad` or `_m`."""
    expression: str
    """Text in the language of `signal_expression`."""
    minimum_range: float
    """Smallest rise (or swing from side to side, where sides alternate) that counts, in the signal's unit."""
    typical_range: tuple[float, float]
    """Usual value at rest and at the far point (alternating: at the right and at the left), in the signal's unit."""
    limb: str = ""
    """Expression of the movement of one limb, with the prefixes `side_` and `other_` for joints; empty: no limb. The
    side that did a repetition is the one whose limb has the greater maximum in it."""

    @property
    def parsed(self) -> SignalExpression:
        """The expression, ready to be evaluated."""
        return parse_expression(self.expression)

    def limb_parsed(self, side: str) -> SignalExpression:
        """Return the expression of the `left` or the `right` limb.

        Raises:
            InputError: The signal has no expression of a limb.
        """
        if not self.limb:
            msg = f"signal {self.name}: expected an entry `limb`, found none; check `limb` before asking for a side"
            raise InputError(msg)
        return parse_expression(of_side(self.limb, side))


@dataclass(frozen=True)
class ExerciseDefinition:
    """Everything that the product knows about one exercise."""

    name: str
    """Label, in snake_case."""
    title: str
    """Name in plain words."""
    description: str
    """The movement of one repetition, in words."""
    posture: str
    """One of POSTURES."""
    signal: SignalDefinition
    sides: str
    """One of SIDES."""
    hold_s: float
    """Longest hold at the far point that belongs to a repetition [s]."""
    repetition_s: tuple[float, float]
    """Shortest and longest repetition, a hold included [s]."""
    good: str
    """Signs of a well done repetition, in words."""
    source: str
    """Reference of the description, the posture and the tempo."""

    @property
    def two_sided(self) -> bool:
        """True if a repetition goes to the left and to the right, False if it goes from rest to a maximum and back."""
        return self.sides == "alternating"


_ENTRIES = ("name", "title", "description", "posture", "signal", "sides", "hold_s", "repetition_s", "good", "source")
_SIGNAL_ENTRIES = ("name", "expression", "minimum_range", "typical_range")
_SIGNAL_OPTIONAL = ("limb",)


def read_definition(path: Path) -> ExerciseDefinition:
    """Return the definition in a YAML file, whose name is that of the exercise.

    Raises:
        InputError: The file cannot be read, is too large, is not YAML, or an entry is missing, unknown or wrong.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            msg = (
                f"exercise file {path}: expected at most {MAX_FILE_BYTES} bytes, got {path.stat().st_size}; shorten it"
            )
            raise InputError(msg)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"exercise file {path}: expected a readable text file, got {error}; check the path"
        raise InputError(msg) from error
    try:
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader), path)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"exercise file {path}: expected YAML, got {error}; correct it"
        raise InputError(msg) from error
    definition = _Entries(content, f"exercise file {path}", _ENTRIES).definition()
    if definition.name != path.stem:
        msg = f"exercise file {path}: expected name: {path.stem}, as the file, got {definition.name}; rename one"
        raise InputError(msg)
    return definition


def definition_text(definition: ExerciseDefinition) -> str:
    """Return the YAML text of a definition, which `read_definition` reads."""
    signal: dict[str, Any] = {
        "name": definition.signal.name,
        "expression": definition.signal.expression,
        "minimum_range": float(definition.signal.minimum_range),
        "typical_range": [float(value) for value in definition.signal.typical_range],
    }
    if definition.signal.limb:
        signal["limb"] = definition.signal.limb
    content = {name: getattr(definition, name) for name in _ENTRIES}
    content["signal"] = signal
    content["repetition_s"] = [float(value) for value in definition.repetition_s]
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=118)


def _refuse_repeated_keys(node: yaml.Node | None, path: Path) -> None:
    """Raise InputError where a mapping names an entry twice, of which YAML would keep the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    keys = [str(key.value) for key, _ in node.value]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        msg = f"exercise file {path}: expected every entry once, got {', '.join(repeated)} twice; remove one"
        raise InputError(msg)
    for _, value in node.value:
        _refuse_repeated_keys(value, path)


class _Entries:
    """The entries of one mapping, with checks that name the file."""

    def __init__(self, content: object, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
        if not isinstance(content, dict):
            msg = f"{where}: expected the entries {', '.join(required)}, got {type(content).__name__}; see the examples"
            raise InputError(msg)
        missing = [name for name in required if name not in content]
        unknown = [str(name) for name in content if name not in (*required, *optional)]
        if missing or unknown:
            msg = (
                f"{where}: expected the entries {', '.join((*required, *optional))}; missing: "
                f"{', '.join(missing) or 'none'}; unknown: {', '.join(unknown) or 'none'}"
            )
            raise InputError(msg)
        self._content, self._where = content, where

    def _refuse(self, name: str, expected: str) -> NoReturn:
        msg = f"{self._where}: {name}: expected {expected}, got {self._content.get(name)!r}; correct it"
        raise InputError(msg)

    def words(self, name: str) -> str:
        """Return a text that is not empty, on one line."""
        value = self._content.get(name)
        if not isinstance(value, str) or not value.strip() or len(value) > MAX_WORDS:
            self._refuse(name, f"a text of 1 to {MAX_WORDS} characters")
        return " ".join(value.split())

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a text that matches a pattern."""
        value = self.words(name)
        if not pattern.fullmatch(value):
            self._refuse(name, f"a name such as {pattern.pattern}")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of the choices."""
        value = self.words(name)
        if value not in choices:
            self._refuse(name, "one of " + ", ".join(choices))
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """Return a number within limits."""
        value = self._content.get(name)
        if not _is_number(value) or not low <= value <= high:
            self._refuse(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def pair(self, name: str, low: float, high: float) -> tuple[float, float]:
        """Return two increasing numbers within limits."""
        value = self._content.get(name)
        if not isinstance(value, list) or len(value) != 2 or not all(_is_number(entry) for entry in value):
            self._refuse(name, "two numbers")
        first, second = (float(entry) for entry in value)
        if not low <= first < second <= high:
            self._refuse(name, f"two increasing numbers from {low:g} to {high:g}")
        return first, second

    def expression(self, name: str) -> str:
        """Return the text of an expression, after it has been parsed."""
        text = self.words(name)
        try:
            for side in ("left", "right") if name == "limb" else ("left",):
                parse_expression(of_side(text, side) if name == "limb" else text)
        except InputError as error:
            msg = f"{self._where}: {name}: {error}"
            raise InputError(msg) from error
        return text

    def signal(self) -> SignalDefinition:
        """Return the signal."""
        entries = _Entries(
            self._content.get("signal"), f"{self._where}: signal", _SIGNAL_ENTRIES, optional=_SIGNAL_OPTIONAL
        )
        return SignalDefinition(
            name=entries.matching("name", _SIGNAL_NAME),
            expression=entries.expression("expression"),
            minimum_range=entries.number("minimum_range", 1e-3, LARGEST_VALUE),
            typical_range=entries.pair("typical_range", -LARGEST_VALUE, LARGEST_VALUE),
            limb=entries.expression("limb") if "limb" in entries._content else "",
        )

    def definition(self) -> ExerciseDefinition:
        """Return the exercise."""
        name = self.matching("name", _NAME)
        if name == "none":
            self._refuse("name", "another name than none, which means no exercise")
        return ExerciseDefinition(
            name=name,
            title=self.words("title"),
            description=self.words("description"),
            posture=self.choice("posture", POSTURES),
            signal=self.signal(),
            sides=self.choice("sides", SIDES),
            hold_s=self.number("hold_s", 0.0, LONGEST_S),
            repetition_s=self.pair("repetition_s", 0.1, LONGEST_S),
            good=self.words("good"),
            source=self.words("source"),
        )


def _is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a finite number; an integer may have more digits than a float can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
