"""Silhouette to 24 joints: by the network, or by the published rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Joints, JointVisibility, Silhouette
from rehab_pose.filters.one_euro import OneEuroFilter
from rehab_pose.joints.build import INPUT_NAME, build_network
from rehab_pose.joints.crop import crop_person
from rehab_pose.joints.published import arms_are_raised, points_lowered_arms, points_raised_arms
from rehab_pose.joints.settings import JointSettings
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.weights import Network

__all__ = ["JointPredictor"]

CONFIDENT_SIGMA_M = 0.12
"""A joint known to within this has a confidence of 1/e: half the length of a forearm is as good as lost [m]."""
OCCLUDED_CONFIDENCE = 0.5
"""Factor on the confidence of a joint that something hides."""
OUTSIDE_CONFIDENCE = 0.2
"""Factor on the confidence of a joint outside the image."""
OCCLUDER_GAP_M = 0.30
"""A surface this far before a joint centre is not that joint's own flesh [m]."""
PAPER_SIGMA_M = 0.15
"""Typical error of the published rules on a simulated person [m]."""


class JointPredictor:
    """Predicts the 24 joints of one followed person."""

    def __init__(self, settings: JointSettings | None = None) -> None:
        """Load the network if the method asks for it.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or JointSettings()
        self._network: Network | None = None
        if self._settings.method == "network":
            self._network = build_network(self._settings.weights_path)
        self._filter = OneEuroFilter(self._settings.smoothing_cutoff_hz, self._settings.smoothing_speed_coefficient)

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        return self._network.model_id if self._network else self._settings.method

    def reset(self) -> None:
        """Forget the person (time jumped back, or somebody else came)."""
        self._filter.reset()

    def process(self, item: Silhouette | None) -> Joints | None:
        """Return the joints of a silhouette; without one, forget the filter's state: the next person may be elsewhere."""
        if item is None:
            self.reset()
            return None
        return self.predict(item)

    def predict(self, silhouette: Silhouette) -> Joints:
        """Return the SMPL_24 joints of a silhouette; all NaN where it has no depth at all."""
        if self._network is None:
            positions_m, sigma_m = self._by_rules(silhouette)
        else:
            positions_m, sigma_m = self._by_network(silhouette, self._network)
        if self._settings.smooth:
            positions_m = self._filter.filter(silhouette.stamp_ns, positions_m)
        visibility = _visibility(positions_m, silhouette)
        confidence = np.exp(-sigma_m / CONFIDENT_SIGMA_M)
        confidence[visibility == JointVisibility.OCCLUDED] *= OCCLUDED_CONFIDENCE
        confidence[visibility == JointVisibility.PREDICTED] *= OUTSIDE_CONFIDENCE
        confidence[visibility == JointVisibility.MISSING] = 0.0
        return Joints(
            stamp_ns=silhouette.stamp_ns,
            frame_id=silhouette.frame_id,
            skeleton=SMPL_24,
            positions_m=positions_m,
            confidence=confidence,
            sigma_m=sigma_m,
            visibility=visibility,
        )

    @staticmethod
    def _by_network(silhouette: Silhouette, network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        crop = crop_person(silhouette)
        if crop is None:
            return np.full((len(SMPL_24), 3), np.nan), np.full(len(SMPL_24), np.nan)
        output = network.session.run(None, {INPUT_NAME: crop.encoded[None]})[0][0].astype(np.float64)
        positions_m = crop.points_m(output[:, :2], output[:, 2], silhouette.intrinsics)
        # The network gives the scale of a Laplace distribution a coordinate; its standard deviation is sqrt(2) larger.
        sigma_m = np.sqrt(2.0) * np.exp(output[:, 3])
        return positions_m, sigma_m

    @staticmethod
    def _by_rules(silhouette: Silhouette) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        inside = silhouette.inside
        points = points_raised_arms(inside) if arms_are_raised(inside) else points_lowered_arms(inside)
        # DKP_24 is ordered like SMPL_24: the paper's one-to-one map is the order itself.
        pixels = np.array([points[name] for name in DKP_24.joint_names])
        depth_m = np.array([_depth_near(silhouette.depth_m, x, y) for x, y in pixels])
        camera = silhouette.intrinsics.cropped(silhouette.box_px)
        positions_m = camera.back_project(pixels, depth_m)
        sigma_m = np.where(np.isfinite(depth_m), PAPER_SIGMA_M, np.nan)
        return positions_m, sigma_m


def _depth_near(depth_m: NDArray[np.float32], x: float, y: float, radius_px: int = 6) -> float:
    """Return the median depth of the person around a pixel [m], NaN where there is none."""
    row, column = round(y), round(x)
    window = depth_m[max(row - radius_px, 0) : row + radius_px + 1, max(column - radius_px, 0) : column + radius_px + 1]
    seen = window[np.isfinite(window)]
    return float(np.median(seen)) if len(seen) else float("nan")


def _visibility(positions_m: NDArray[np.float64], silhouette: Silhouette) -> NDArray[np.uint8]:
    """Tell for each joint (J, 3) whether it is seen, hidden, or outside the image."""
    visibility = np.full(len(positions_m), JointVisibility.OBSERVED, dtype=np.uint8)
    pixels = silhouette.intrinsics.project(positions_m)
    known = np.isfinite(pixels).all(axis=1)
    column = np.floor(np.where(known, pixels[:, 0], -1.0) + 0.5).astype(np.intp)
    row = np.floor(np.where(known, pixels[:, 1], -1.0) + 0.5).astype(np.intp)
    in_image = (
        (column >= 0) & (column < silhouette.intrinsics.width_px) & (row >= 0) & (row < silhouette.intrinsics.height_px)
    )
    x, y, width, height = silhouette.box_px
    local_column, local_row = column - x, row - y
    in_box = (local_column >= 0) & (local_column < width) & (local_row >= 0) & (local_row < height)
    surface_m = silhouette.depth_m[np.clip(local_row, 0, height - 1), np.clip(local_column, 0, width - 1)]
    with np.errstate(invalid="ignore"):
        hidden = ~in_box | (positions_m[:, 2] - surface_m > OCCLUDER_GAP_M)
    visibility[hidden] = JointVisibility.OCCLUDED
    visibility[~in_image] = JointVisibility.PREDICTED
    visibility[~known] = JointVisibility.MISSING
    return visibility
