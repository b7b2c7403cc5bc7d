"""Expressions over joints, from which the signal of an exercise is computed; parsed from text, never executed.

The grammar is a part of Python's: numbers, `pi`, `+ - * /`, parentheses, calls of the functions of `FUNCTIONS`, and the
points that they take. A point is a joint of FEATURE_JOINTS, `hip_centre`, `shoulder_centre`, or `middle(a, b, ...)`.

| function | value |
|---|---|
| `height(a)` | height of a above the origin of the coordinates [m] |
| `position(a, axis)` | coordinate of a along the axis `left`, `up` or `front` of the body frame [m] |
| `along(a, b, axis)` | length of a to b along an axis [m] |
| `distance(a, b)` | distance of two points [m] |
| `above_line(p, a, b)` | height of p above the line through a and b [m]; negative: below |
| `off_line(p, a, b)` | distance of p from the line through a and b [m] |
| `angle(a, b, c)` | angle at b between the directions to a and to c, 0 to pi [rad] |
| `between(a, b, c, d)` | angle between the directions a to b and c to d, 0 to pi [rad] |
| `elevation(a, b)` | angle of a to b from straight down, 0 to pi [rad] |
| `tilt(a, b)` | angle of a to b from the vertical towards the person's left [rad] |
| `lean(a, b)` | angle of a to b from the vertical towards the person's front [rad] |
| `yaw(a, b)` | angle of a to b about the vertical from the axis `left`, positive towards the person's left [rad] |
| `mean(x, ...)` | mean of the numbers that are not missing |
| `minimum(x, ...)`, `maximum(x, ...)` | missing where one of them is |
| `difference(x, y)` | x - y |
| `absolute(x)` | value without its sign |

`height`, `distance`, `above_line`, `off_line`, `angle`, `between` and `elevation` need the direction of gravity at
most. The others need the body frame's axes `left` and `front`, which come from hips and shoulders seen from above: they
are undefined for a person who lies on one side.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.exercise.window_features import FEATURE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["AXES", "FUNCTIONS", "POINTS", "SIDE_PREFIXES", "SignalExpression", "of_side", "parse_expression"]

AXES = {"left": 0, "up": 1, "front": 2}
"""Rows of the body frame by name."""
CENTRES = {"hip_centre": ("pelvis", "hip"), "shoulder_centre": ("neck", "shoulder")}
"""Mean of a joint and the midpoint of a pair, which is less noisy; the joint alone where the pair is missing."""
POINTS = (*FEATURE_INDEX, *CENTRES)
"""Names of points."""
SIDE_PREFIXES = ("side_", "other_")
"""Prefixes of joints in an expression for one limb: `side_knee` is the left knee for the left limb."""
MAX_TEXT = 600
"""Longest expression, in characters; chosen by hand, four times the longest shipped one."""
MAX_NODES = 200
"""Largest number of nodes of an expression's tree; chosen by hand, four times the largest shipped one."""
_TINY_M = 1e-9
"""Lower bound of the length of a line [m]."""
_OPERATORS: dict[type[ast.operator], np.ufunc] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}

if TYPE_CHECKING:
    Values = NDArray[np.float64]
    Evaluation = Callable[[Values, Values], Values]  # from points (T, J, 3) and axes (3, 3)


def _dot(first: Values, second: Values) -> Values:
    return np.asarray(np.einsum("...i,...i->...", first, second))


def _height(_axes: Values, a: Values) -> Values:
    return np.asarray(a @ _axes[1])


def _distance(_axes: Values, a: Values, b: Values) -> Values:
    return np.asarray(np.linalg.norm(b - a, axis=-1))


def _from_line(p: Values, a: Values, b: Values) -> Values:
    line = b - a
    length = np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), _TINY_M)
    direction = line / length
    offset = p - a
    return np.asarray(offset - _dot(offset, direction)[..., None] * direction)


def _above_line(axes: Values, p: Values, a: Values, b: Values) -> Values:
    return np.asarray(_from_line(p, a, b) @ axes[1])


def _off_line(_axes: Values, p: Values, a: Values, b: Values) -> Values:
    return np.asarray(np.linalg.norm(_from_line(p, a, b), axis=-1))


def _angle_of(first: Values, second: Values) -> Values:
    return np.asarray(np.arctan2(np.linalg.norm(np.cross(first, second), axis=-1), _dot(first, second)))


def _angle(_axes: Values, a: Values, b: Values, c: Values) -> Values:
    return _angle_of(a - b, c - b)


def _between(_axes: Values, a: Values, b: Values, c: Values, d: Values) -> Values:
    return _angle_of(b - a, d - c)


def _elevation(axes: Values, a: Values, b: Values) -> Values:
    limb = b - a
    upwards = limb @ axes[1]
    return np.asarray(np.arctan2(np.linalg.norm(limb - upwards[:, None] * axes[1], axis=-1), -upwards))


def _tilt(axes: Values, a: Values, b: Values) -> Values:
    return np.asarray(np.arctan2((b - a) @ axes[0], (b - a) @ axes[1]))


def _lean(axes: Values, a: Values, b: Values) -> Values:
    return np.asarray(np.arctan2((b - a) @ axes[2], (b - a) @ axes[1]))


def _yaw(axes: Values, a: Values, b: Values) -> Values:
    return np.asarray(np.arctan2(-((b - a) @ axes[2]), (b - a) @ axes[0]))


def _mean(*values: Values) -> Values:
    """Return the mean without the missing values, in the order of the arguments."""
    total, count = np.zeros(values[0].shape), np.zeros(values[0].shape)
    for value in values:
        finite = np.isfinite(value)
        total = total + np.where(finite, value, 0.0)
        count = count + finite
    return np.asarray(np.where(count > 0.0, total / np.maximum(count, 1.0), np.nan))


def _minimum(*values: Values) -> Values:
    return np.asarray(np.minimum.reduce(np.broadcast_arrays(*values)))


def _maximum(*values: Values) -> Values:
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*values)))


@dataclass(frozen=True)
class _Function:
    """One function of the language."""

    compute: Callable[..., Values]
    points: int = 0
    """Number of points that it takes; then `compute` takes the axes first. 0: it takes numbers."""
    numbers: tuple[int, int] = (0, 0)
    """Smallest and largest number of numbers that it takes."""
    needs_frame: bool = False
    """True if it needs the axes left and front, False if gravity is enough."""


MANY = 8
"""Largest number of arguments of `mean`, `minimum`, `maximum` and `middle`."""
FUNCTIONS: dict[str, _Function] = {
    "height": _Function(_height, points=1),
    "distance": _Function(_distance, points=2),
    "above_line": _Function(_above_line, points=3),
    "off_line": _Function(_off_line, points=3),
    "angle": _Function(_angle, points=3),
    "between": _Function(_between, points=4),
    "elevation": _Function(_elevation, points=2),
    "tilt": _Function(_tilt, points=2, needs_frame=True),
    "lean": _Function(_lean, points=2, needs_frame=True),
    "yaw": _Function(_yaw, points=2, needs_frame=True),
    "mean": _Function(_mean, numbers=(1, MANY)),
    "minimum": _Function(_minimum, numbers=(2, MANY)),
    "maximum": _Function(_maximum, numbers=(2, MANY)),
    "difference": _Function(np.subtract, numbers=(2, 2)),
    "absolute": _Function(np.abs, numbers=(1, 1)),
}
"""Functions by name; `position` and `along`, which also take the name of an axis, are apart."""
_ON_AXES = {"position": 1, "along": 2}
"""Number of points of the functions whose last argument is an axis."""


@dataclass(frozen=True)
class SignalExpression:
    """A parsed expression."""

    text: str
    joints: frozenset[str]
    """Names of the FEATURE_JOINTS that it needs."""
    needs_frame: bool
    """True if it needs the body frame's axes left and front, False if the direction of gravity is enough."""
    evaluation: Evaluation

    def evaluate(self, positions_m: NDArray[Any], axes: NDArray[Any]) -> NDArray[np.float64]:
        """Return the values over time (T), NaN where a joint that is needed is missing.

        Args:
            positions_m: (T, J, 3) FEATURE_JOINTS in any frame [m]; NaN = missing.
            axes: (3, 3) rows: the person's left, up, front in the same frame.
        """
        points = np.asarray(positions_m, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = self.evaluation(points, np.asarray(axes, dtype=np.float64))
        values = np.broadcast_to(values, points.shape[:1])
        return np.asarray(np.where(np.isinf(values), np.nan, values), dtype=np.float64)


def of_side(text: str, side: str) -> str:
    """Return an expression for one limb with `side_` and `other_` replaced by `left_` and `right_`, or the reverse."""
    other = "right" if side == "left" else "left"
    return text.replace("side_", f"{side}_").replace("other_", f"{other}_")


@lru_cache(maxsize=512)
def parse_expression(text: str) -> SignalExpression:
    """Return the expression of a text.

    Raises:
        InputError: The text is too long, is not an expression of the language, or needs no joint.
    """
    if len(text) > MAX_TEXT:
        msg = f"signal expression: expected at most {MAX_TEXT} characters, got {len(text)}; shorten it"
        raise InputError(msg)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        msg = f"signal expression {text!r}: expected an expression such as height(pelvis), got {error}; correct it"
        raise InputError(msg) from error
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        msg = f"signal expression {text!r}: expected at most {MAX_NODES} terms; shorten it"
        raise InputError(msg)
    parser = _Parser(text)
    evaluation = parser.number(tree.body)
    if not parser.joints:
        msg = f"signal expression {text!r}: expected at least one joint, got a constant; name a joint"
        raise InputError(msg)
    return SignalExpression(text.strip(), frozenset(parser.joints), parser.needs_frame, evaluation)


class _Parser:
    """Turns the nodes of one expression into functions, and notes the joints and axes that they need."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.joints: set[str] = set()
        self.needs_frame = False

    def _refuse(self, expected: str, node: ast.AST) -> NoReturn:
        msg = f"signal expression {self._text!r}: expected {expected}, got {ast.unparse(node)!r}; correct it"
        raise InputError(msg)

    def number(self, node: ast.AST) -> Evaluation:
        """Return the evaluation of a node that stands for a number at each moment."""
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return self._constant(float(node.value), node)
        if isinstance(node, ast.Name) and node.id == "pi":
            return self._constant(float(np.pi), node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self.number(node.operand)
            return lambda points, axes: -operand(points, axes)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            compute, left, right = _OPERATORS[type(node.op)], self.number(node.left), self.number(node.right)
            return lambda points, axes: np.asarray(compute(left(points, axes), right(points, axes)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            return self._call(node.func.id, node)
        return self._refuse("a number, pi, + - * / or a call of a function", node)

    def _constant(self, value: float, node: ast.AST) -> Evaluation:
        if not np.isfinite(value):
            self._refuse("a finite number", node)
        array = np.asarray(value)
        return lambda points, _axes: np.broadcast_to(array, points.shape[:1])

    def _call(self, name: str, node: ast.Call) -> Evaluation:
        arguments = node.args
        if name in _ON_AXES:
            return self._on_axis(_ON_AXES[name], node)
        function = FUNCTIONS.get(name)
        if function is None:
            self._refuse("one of the functions " + ", ".join((*FUNCTIONS, *_ON_AXES)), node)
        compute = function.compute
        if function.points:
            if len(arguments) != function.points:
                self._refuse(f"{function.points} points in {name}", node)
            points_of = [self._point(argument) for argument in arguments]
            self.needs_frame |= function.needs_frame
            return lambda points, axes: compute(axes, *(point(points, axes) for point in points_of))
        low, high = function.numbers
        if not low <= len(arguments) <= high:
            self._refuse(f"{low} to {high} numbers in {name}", node)
        numbers = [self.number(argument) for argument in arguments]
        return lambda points, axes: np.asarray(compute(*(number(points, axes) for number in numbers)))

    def _on_axis(self, count: int, node: ast.Call) -> Evaluation:
        axis_name = node.args[-1] if node.args else node
        if len(node.args) != count + 1 or not isinstance(axis_name, ast.Name) or axis_name.id not in AXES:
            self._refuse(f"{count} points and the name of an axis (left, up, front)", node)
        row = AXES[axis_name.id]
        self.needs_frame |= axis_name.id != "up"
        places = [self._point(argument) for argument in node.args[:-1]]
        if count == 1:
            return lambda points, axes: places[0](points, axes) @ axes[row]
        return lambda points, axes: (places[1](points, axes) - places[0](points, axes)) @ axes[row]

    def _point(self, node: ast.AST) -> Evaluation:
        """Return the evaluation (T, 3) of a node that stands for a point."""
        if isinstance(node, ast.Name) and node.id in FEATURE_INDEX:
            self.joints.add(node.id)
            index = FEATURE_INDEX[node.id]
            return lambda points, _axes: points[:, index]
        if isinstance(node, ast.Name) and node.id in CENTRES:
            return self._centre(*CENTRES[node.id])
        is_middle = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "middle"
        if isinstance(node, ast.Call) and is_middle and 2 <= len(node.args) <= MANY and not node.keywords:
            parts = [self._point(argument) for argument in node.args]
            return lambda points, axes: np.asarray(sum(part(points, axes) for part in parts) / len(parts))
        return self._refuse("a point: " + ", ".join((*POINTS, "middle(a, b)")), node)

    def _centre(self, joint: str, pair: str) -> Evaluation:
        self.joints.add(joint)
        index = FEATURE_INDEX[joint]
        left, right = FEATURE_INDEX[f"left_{pair}"], FEATURE_INDEX[f"right_{pair}"]

        def centre(points: Values, _axes: Values) -> Values:
            middle = 0.5 * (points[:, left] + points[:, right])
            alone = points[:, index]
            return np.asarray(np.where(np.isfinite(middle), 0.5 * (alone + middle), alone))

        return centre
