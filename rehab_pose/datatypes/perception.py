"""What is seen in the images of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import frozen, set_fields
from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics


__all__ = ["BodyParts", "FloorPlane", "KeypointFamily", "Keypoints", "RgbdFrame", "Silhouette", "unknown_plane"]


def unknown_plane() -> NDArray[np.float64]:
    """Return the floor plane (4) of a scene whose floor has not been seen: all NaN."""
    return np.full(4, np.nan)


@dataclass(frozen=True, eq=False)
class FloorPlane:
    """The floor as the camera sees it; the same for all frames until it is estimated again."""

    stamp_ns: int
    """Of the frame after which it changed."""
    frame_id: str
    plane: NDArray[np.float64]
    """(4) a, b, c, d with a x + b y + c z + d = 0 [m], (a, b, c) of length 1 pointing up; NaN = not seen."""

    def __post_init__(self) -> None:
        """Check the shape."""
        set_fields(self, plane=frozen("FloorPlane.plane", self.plane, (4,), np.float64))


@dataclass(frozen=True, eq=False)
class RgbdFrame:
    """One synchronised, registered colour + depth pair."""

    stamp_ns: int
    frame_id: str
    intrinsics: CameraIntrinsics
    color: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    depth_m: NDArray[np.float32]
    """(H, W) distance along z [m], NaN = no return."""

    def __post_init__(self) -> None:
        """Check shapes against the intrinsics."""
        size = (self.intrinsics.height_px, self.intrinsics.width_px)
        set_fields(
            self,
            color=frozen("RgbdFrame.color", self.color, (*size, 3), np.uint8),
            depth_m=frozen("RgbdFrame.depth_m", self.depth_m, size, np.float32),
        )


@dataclass(frozen=True, eq=False)
class Silhouette:
    """Which pixels are the person's, with the colour and depth inside the person's box (Eq 8: zero / NaN outside)."""

    stamp_ns: int
    frame_id: str
    intrinsics: CameraIntrinsics
    """The whole image's camera; `intrinsics.cropped(box_px)` is the box's."""
    box_px: tuple[int, int, int, int]
    """x, y, width, height of the box in the whole image."""
    inside: NDArray[np.bool_]
    """(h, w) True on the person, over the box."""
    color: NDArray[np.uint8]
    """(h, w, 3) RGB, zero outside the person."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN outside the person and where the sensor saw nothing."""
    confidence: float = 1.0

    def __post_init__(self) -> None:
        """Check shapes against the box and the box against the image."""
        x, y, width, height = self.box_px
        if not (0 <= x < x + width <= self.intrinsics.width_px and 0 <= y < y + height <= self.intrinsics.height_px):
            msg = (
                f"Silhouette.box_px: expected a box inside the {self.intrinsics.width_px}x{self.intrinsics.height_px} "
                f"image, got {self.box_px}"
            )
            raise ContractError(msg)
        set_fields(
            self,
            inside=frozen("Silhouette.inside", self.inside, (height, width), np.bool_),
            color=frozen("Silhouette.color", self.color, (height, width, 3), np.uint8),
            depth_m=frozen("Silhouette.depth_m", self.depth_m, (height, width), np.float32),
        )

    @property
    def area_px(self) -> int:
        """Number of pixels on the person."""
        return int(np.count_nonzero(self.inside))

    def full_mask(self) -> NDArray[np.bool_]:
        """Return the silhouette over the whole image (H, W)."""
        x, y, width, height = self.box_px
        mask = np.zeros((self.intrinsics.height_px, self.intrinsics.width_px), dtype=np.bool_)
        mask[y : y + height, x : x + width] = self.inside
        return mask


@dataclass(frozen=True, eq=False)
class KeypointFamily:
    """The points that one classical detector found, in pixels of the whole image."""

    detector: str
    """One of contour, harris, shi_tomasi, orb, brisk, sift, akaze, skeleton_end, skeleton_branch."""
    pixels: NDArray[np.float32]
    """(K, 2) u, v [px]."""
    size_px: NDArray[np.float32]
    """(K) diameter [px]; NaN where the detector gives none."""
    angle_rad: NDArray[np.float32]
    """(K) [rad]; NaN where the detector gives none."""
    response: NDArray[np.float32]
    """(K) in the detector's own units; NaN where it gives none."""
    depth_m: NDArray[np.float32]
    """(K) [m] at the point; NaN = no return there."""
    descriptors: NDArray[Any] | None
    """(K, D) uint8 (binary) or float32; None where the detector has none."""

    def __post_init__(self) -> None:
        """Check that all arrays have one row a point."""
        count = len(self.pixels)
        set_fields(self, pixels=frozen(f"{self.detector}.pixels", self.pixels, (count, 2), np.float32))
        for name in ("size_px", "angle_rad", "response", "depth_m"):
            set_fields(self, **{name: frozen(f"{self.detector}.{name}", getattr(self, name), (count,), np.float32)})
        if self.descriptors is not None:
            dtype = self.descriptors.dtype
            set_fields(self, descriptors=frozen(f"{self.detector}.descriptors", self.descriptors, (count, "D"), dtype))


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Classical keypoints of one person, one entry a detector."""

    stamp_ns: int
    frame_id: str
    families: tuple[KeypointFamily, ...]


@dataclass(frozen=True, eq=False)
class BodyParts:
    """LIP's body regions over the person's box, and points evenly spaced along each region's outer contour."""

    stamp_ns: int
    frame_id: str
    box_px: tuple[int, int, int, int]
    labels: NDArray[np.uint8]
    """(h, w) LIP class 0-19 over the box, 0 = background."""
    contours_px: NDArray[np.float32]
    """(20, N, 2) u, v in the whole image [px]; NaN for a part that is not seen."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _, _, width, height = self.box_px
        set_fields(
            self,
            labels=frozen("BodyParts.labels", self.labels, (height, width), np.uint8),
            contours_px=frozen("BodyParts.contours_px", self.contours_px, (20, "N", 2), np.float32),
        )
