"""Picture of a body at the far point of a repetition, as SVG: seen from the camera and from the side."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LEFT_COLOUR", "MIN_JOINTS", "RIGHT_COLOUR", "skeleton_picture"]

LEFT_COLOUR, RIGHT_COLOUR, MIDDLE_COLOUR, TORSO_COLOUR = "#2563b0", "#c8501e", "#7b8894", "#ccd5dd"
FLOOR_COLOUR, TEXT_COLOUR = "#b4bec7", "#4a5763"
HEIGHT_PX, VIEW_WIDTH_PX, MARGIN_PX, CAPTION_PX = 210, 170, 12, 16
"""Size of one view, and its margin [px]."""
MIN_JOINTS = 12
"""Joints without which no body can be recognised: half of them, chosen by hand."""
SMALLEST_CM = 60.0
"""Smallest extent that fills a picture [cm], so that a curled-up body is not drawn larger than a standing one."""
HEAD_RADIUS_CM, BELOW_FOOT_CM = 11.0, 6.0
"""Size of an average head, and of the sole below the joint of the toes [cm]."""
LIMBS = (
    ("hip", "knee", 15.0),
    ("knee", "ankle", 11.0),
    ("ankle", "foot", 8.0),
    ("shoulder", "elbow", 9.5),
    ("elbow", "wrist", 7.5),
    ("wrist", "hand", 6.5),
)
"""First and last joint of each limb, and its drawn width [cm], about that of an adult."""
Point = tuple[float, float, float]


class _Shape(NamedTuple):
    depth: float
    """Distance from the viewer [cm]; far shapes are drawn first."""
    svg: str


def skeleton_picture(joints_cm: Sequence[tuple[int, int, int] | None], title: str) -> str:
    """Return an SVG element with two views of a body; empty if too few joints are known.

    Args:
        joints_cm: (24) joints of SMPL_24 from the pelvis: to the right in the image, up, away from the camera [cm];
            None = missing.
        title: Text for screen readers.
    """
    joints = {name: joint for name, joint in zip(SMPL_24.joint_names, joints_cm, strict=False) if joint is not None}
    if len(joints) < MIN_JOINTS:
        return ""
    front = {name: (float(right), float(up), float(away)) for name, (right, up, away) in joints.items()}
    # From the side: a viewer at the right edge of the image, who has the camera on the left.
    side = {name: (float(away), float(up), -float(right)) for name, (right, up, away) in joints.items()}
    width = 2 * VIEW_WIDTH_PX
    views = "".join(
        f'<g transform="translate({column * VIEW_WIDTH_PX} 0)">{_view(points, caption)}</g>'
        for column, (points, caption) in enumerate(((front, "from the camera"), (side, "from the side")))
    )
    return (
        f'<svg viewBox="0 0 {width} {HEIGHT_PX}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{views}</svg>"
    )


def _view(points: dict[str, Point], caption: str) -> str:
    drawn = [*points.values()]
    left, right = (pick(point[0] for point in drawn) for pick in (min, max))
    low, high = min(point[1] for point in drawn) - BELOW_FOOT_CM, max(point[1] for point in drawn) + HEAD_RADIUS_CM
    room_px = (VIEW_WIDTH_PX - 2 * MARGIN_PX, HEIGHT_PX - 2 * MARGIN_PX - CAPTION_PX)
    scale = min(
        room_px[0] / max(right - left + 2 * HEAD_RADIUS_CM, SMALLEST_CM), room_px[1] / max(high - low, SMALLEST_CM)
    )
    middle = 0.5 * (left + right)
    floor_px = HEIGHT_PX - MARGIN_PX - CAPTION_PX
    pixels = {
        name: (VIEW_WIDTH_PX / 2 + (x - middle) * scale, floor_px - (y - low) * scale, away)
        for name, (x, y, away) in points.items()
    }
    floor = (
        f'<line x1="{MARGIN_PX}" x2="{VIEW_WIDTH_PX - MARGIN_PX}" y1="{floor_px}" y2="{floor_px}" '
        f'stroke="{FLOOR_COLOUR}"/>'
    )
    text = (
        f'<text x="{VIEW_WIDTH_PX / 2}" y="{HEIGHT_PX - MARGIN_PX}" text-anchor="middle" font-size="12" '
        f'font-family="Liberation Sans, Arial, sans-serif" fill="{TEXT_COLOUR}">{escape(caption)}</text>'
    )
    shapes = sorted(_shapes(pixels, scale), key=lambda shape: -shape.depth)
    return floor + "".join(shape.svg for shape in shapes) + text


def _shapes(pixels: dict[str, Point], scale: float) -> list[_Shape]:
    shapes = []
    corners = [name for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip") if name in pixels]
    if len(corners) > 2:  # a triangle at least
        places = " ".join(f"{pixels[name][0]:.1f},{pixels[name][1]:.1f}" for name in corners)
        depth = sum(pixels[name][2] for name in corners) / len(corners)
        shapes.append(
            _Shape(
                depth,
                f'<polygon points="{places}" fill="{TORSO_COLOUR}" stroke="{TORSO_COLOUR}" '
                f'stroke-width="{12.0 * scale:.1f}" stroke-linejoin="round"/>',
            )
        )
    shapes += _line(pixels, ("neck", "head"), 8.0 * scale, MIDDLE_COLOUR)
    if "head" in pixels:
        x, y, depth = pixels["head"]
        radius = HEAD_RADIUS_CM * scale
        shapes.append(_Shape(depth, f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{MIDDLE_COLOUR}"/>'))
    for side, colour in (("left", LEFT_COLOUR), ("right", RIGHT_COLOUR)):
        for first, last, width_cm in LIMBS:
            shapes += _line(pixels, (f"{side}_{first}", f"{side}_{last}"), width_cm * scale, colour)
    return shapes


def _line(pixels: dict[str, Point], ends: tuple[str, str], width: float, colour: str) -> list[_Shape]:
    if not all(end in pixels for end in ends):
        return []
    (x1, y1, near), (x2, y2, far) = (pixels[end] for end in ends)
    svg = (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ffffff" '
        f'stroke-width="{width + 1.6:.1f}" stroke-linecap="round"/>'
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:.1f}" stroke-linecap="round"/>'
    )
    return [_Shape(0.5 * (near + far), svg)]
