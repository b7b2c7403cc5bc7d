"""Records computed from the images of a frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.arrays import frozen, set_fields
from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.geometry.camera import CameraIntrinsics


__all__ = [
    "BodyParts",
    "FloorPlane",
    "KeypointFamily",
    "Keypoints",
    "RgbdFrame",
    "Silhouette",
    "unknown_direction",
    "unknown_plane",
]


def unknown_plane() -> NDArray[np.float64]:
    """Return the floor plane (4) of a scene with unknown floor: all NaN."""
    return np.full(4, np.nan)


def unknown_direction() -> NDArray[np.float64]:
    """Return an unknown direction (3): all NaN."""
    return np.full(3, np.nan)


@dataclass(frozen=True, eq=False)
class FloorPlane:
    """The floor plane in the camera's frame; valid until the next estimate."""

    stamp_ns: int
    """Stamp of the frame at which the estimate changed [ns]."""
    frame_id: str
    plane: NDArray[np.float64]
    """(4) a, b, c, d with a x + b y + c z + d = 0 [m], (a, b, c) of length 1 pointing up; NaN = unknown."""

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
    """(H, W) depth along z [m], NaN = no return."""
    up: NDArray[np.float64] = field(default_factory=unknown_direction)
    """(3) unit vector against gravity in the camera's frame, from an IMU or a parameter; NaN = not measured."""

    def __post_init__(self) -> None:
        """Check shapes against the intrinsics."""
        size = (self.intrinsics.height_px, self.intrinsics.width_px)
        set_fields(
            self,
            up=frozen("RgbdFrame.up", self.up, (3,), np.float64),
            color=frozen("RgbdFrame.color", self.color, (*size, 3), np.uint8),
            depth_m=frozen("RgbdFrame.depth_m", self.depth_m, size, np.float32),
        )


@dataclass(frozen=True, eq=False)
class Silhouette:
    """The person's pixels in their bounding box with colour and depth, zero and NaN outside the person (Eq 8)."""

    stamp_ns: int
    frame_id: str
    intrinsics: CameraIntrinsics
    """Camera of the full image; that of the box is `intrinsics.cropped(box_px)`."""
    box_px: tuple[int, int, int, int]
    """x, y, width, height of the box in the full image."""
    inside: NDArray[np.bool_]
    """(h, w) over the box, True on the person."""
    color: NDArray[np.uint8]
    """(h, w, 3) RGB, zero outside the person."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN outside the person and where there is no return."""
    confidence: float = 1.0
    """Mean probability of the person's pixels, 0-1."""
    up: NDArray[np.float64] = field(default_factory=unknown_direction)
    """(3) unit vector against gravity in the camera's frame, from the floor plane, else that of the frame; NaN =
    unknown."""

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
            up=frozen("Silhouette.up", self.up, (3,), np.float64),
            inside=frozen("Silhouette.inside", self.inside, (height, width), np.bool_),
            color=frozen("Silhouette.color", self.color, (height, width, 3), np.uint8),
            depth_m=frozen("Silhouette.depth_m", self.depth_m, (height, width), np.float32),
        )

    @property
    def area_px(self) -> int:
        """Number of pixels on the person."""
        return int(np.count_nonzero(self.inside))

    def full_mask(self) -> NDArray[np.bool_]:
        """Return the silhouette over the full image (H, W)."""
        x, y, width, height = self.box_px
        mask = np.zeros((self.intrinsics.height_px, self.intrinsics.width_px), dtype=np.bool_)
        mask[y : y + height, x : x + width] = self.inside
        return mask


@dataclass(frozen=True, eq=False)
class KeypointFamily:
    """The points of one classical detector, in pixels of the full image."""

    detector: str
    """Name: contour, harris, shi_tomasi, orb, brisk, sift, akaze, skeleton_end or skeleton_branch."""
    pixels: NDArray[np.float32]
    """(K, 2) u, v [px]."""
    size_px: NDArray[np.float32]
    """(K) diameter [px]; NaN where the detector gives none."""
    angle_rad: NDArray[np.float32]
    """(K) [rad]; NaN where the detector gives none."""
    response: NDArray[np.float32]
    """(K) in the units of the detector; NaN where it gives none."""
    depth_m: NDArray[np.float32]
    """(K) depth at the point [m]; NaN = no return."""
    descriptors: NDArray[Any] | None
    """(K, D) uint8 (binary) or float32; None for detectors without descriptors."""

    def __post_init__(self) -> None:
        """Check that all arrays have one row for each point."""
        count = len(self.pixels)
        set_fields(self, pixels=frozen(f"{self.detector}.pixels", self.pixels, (count, 2), np.float32))
        for name in ("size_px", "angle_rad", "response", "depth_m"):
            set_fields(self, **{name: frozen(f"{self.detector}.{name}", getattr(self, name), (count,), np.float32)})
        if self.descriptors is not None:
            dtype = self.descriptors.dtype
            set_fields(self, descriptors=frozen(f"{self.detector}.descriptors", self.descriptors, (count, "D"), dtype))


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Classical keypoints of one person, one family for each detector."""

    stamp_ns: int
    frame_id: str
    families: tuple[KeypointFamily, ...]


@dataclass(frozen=True, eq=False)
class BodyParts:
    """LIP's body parts in the person's box, and evenly spaced points along the outer contour of each part."""

    stamp_ns: int
    frame_id: str
    box_px: tuple[int, int, int, int]
    labels: NDArray[np.uint8]
    """(h, w) LIP class 0-19, 0 = background."""
    contours_px: NDArray[np.float32]
    """(20, N, 2) u, v in the full image [px]; NaN for absent parts."""

    def __post_init__(self) -> None:
        """Check shapes."""
        _, _, width, height = self.box_px
        set_fields(
            self,
            labels=frozen("BodyParts.labels", self.labels, (height, width), np.uint8),
            contours_px=frozen("BodyParts.contours_px", self.contours_px, (20, "N", 2), np.float32),
        )
