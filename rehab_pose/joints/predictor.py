"""Prediction of 24 joint centres from a silhouette, by a network or by the published rules of DKP-Net."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Joints, Silhouette
from rehab_pose.filters.constant_velocity import displacement_shares, extrapolation_fraction
from rehab_pose.filters.one_euro import OneEuroFilter
from rehab_pose.geometry.joint_confidence import joint_confidence, joint_visibility
from rehab_pose.joints.crop import INPUT_NAME, crop_person
from rehab_pose.joints.dkp_net_rules import arms_are_raised, points_lowered_arms, points_raised_arms
from rehab_pose.joints.settings import JointSettings
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.weights import Network

__all__ = ["DEFAULT_WEIGHTS", "JointPredictor"]

DEFAULT_WEIGHTS = Path(__file__).with_name("joints.onnx")
PAPER_SIGMA_M = 0.15
"""Standard deviation of joints from the published rules: their typical error on a simulated person [m]."""
NOISE_M = 0.006
"""Displacement of a joint between two predictions that is half noise [m], after the filter."""
MAX_SHIFT_M = 0.025
"""Largest extrapolated displacement of a joint [m]; joints that move faster are predicted in every frame."""


class JointPredictor:
    """Predicts the 24 joints of one person over time."""

    def __init__(self, settings: JointSettings | None = None) -> None:
        """Load the network if the method of the settings has one.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or JointSettings()
        self._network: Network | None = None
        if self._settings.method != "paper":
            self._network = load_network(self._settings.weights_path or DEFAULT_WEIGHTS, (INPUT_NAME,))
        self._filter = OneEuroFilter(self._settings.smoothing_cutoff_hz, self._settings.smoothing_speed_coefficient)
        self.reset()

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        return self._network.model_id if self._network else self._settings.method

    def reset(self) -> None:
        """Reset the filter (time jumped back, or another person)."""
        self._filter.reset()
        self._before: Joints | None = None
        self._last: Joints | None = None
        self._extrapolated = False

    def process(self, item: Silhouette | None) -> Joints | None:
        """Return the joints of a silhouette; without one, reset the filter, as the next person may be elsewhere."""
        if item is None:
            self.reset()
            return None
        return self.predict(item)

    def predict(self, silhouette: Silhouette) -> Joints:
        """Return the SMPL_24 joints of a silhouette; all NaN if it has no depth."""
        if self._network is None:
            positions_m, sigma_m = self._by_rules(silhouette)
        else:
            positions_m, sigma_m = self._by_network(silhouette, self._network)
        if self._settings.smooth:
            positions_m = self._filter.filter(silhouette.stamp_ns, positions_m)
        self._before, self._last = self._last, _joints(silhouette, positions_m, sigma_m)
        self._extrapolated = False
        return self._last

    def extrapolate(self, silhouette: Silhouette) -> Joints | None:
        """Return the joints of the last frames at a silhouette's stamp, or None where they have to be predicted.

        They have to be predicted in at least every second frame, for a stamp more than `extrapolation_s` after the
        last prediction, until two predictions give the velocity, and when a joint moves by more than MAX_SHIFT_M.
        """
        last, before = self._last, self._before
        if last is None or before is None or self._extrapolated:
            return None
        longest_s = self._settings.extrapolation_s
        fraction = extrapolation_fraction(before.stamp_ns, last.stamp_ns, silhouette.stamp_ns, longest_s)
        if fraction is None:
            return None
        moved_m = last.positions_m - before.positions_m
        shift_m = displacement_shares(moved_m, NOISE_M, fraction) * moved_m
        if (np.abs(shift_m) > MAX_SHIFT_M).any():
            return None
        self._extrapolated = True
        return _joints(silhouette, last.positions_m + shift_m, last.sigma_m)

    @staticmethod
    def _by_network(silhouette: Silhouette, network: Network) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        crop = crop_person(silhouette)
        if crop is None:
            return np.full((len(SMPL_24), 3), np.nan), np.full(len(SMPL_24), np.nan)
        output = network.session.run(None, {INPUT_NAME: crop.encoded[None]})[0][0].astype(np.float64)
        positions_m = crop.points_m(output[:, :2], output[:, 2], silhouette.intrinsics)
        # The network predicts the logarithm of the scale of a Laplace distribution of each coordinate; the standard
        # deviation is sqrt(2) times the scale.
        sigma_m = np.sqrt(2.0) * np.exp(output[:, 3])
        return positions_m, sigma_m

    @staticmethod
    def _by_rules(silhouette: Silhouette) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        inside = silhouette.inside
        points = points_raised_arms(inside) if arms_are_raised(inside) else points_lowered_arms(inside)
        # A point of DKP_24 has the index of the SMPL_24 joint that the paper maps it to.
        pixels = np.array([points[name] for name in DKP_24.joint_names])
        depth_m = np.array([_depth_near(silhouette.depth_m, x, y) for x, y in pixels])
        camera = silhouette.intrinsics.cropped(silhouette.box_px)
        positions_m = camera.back_project(pixels, depth_m)
        sigma_m = np.where(np.isfinite(depth_m), PAPER_SIGMA_M, np.nan)
        return positions_m, sigma_m


def _joints(silhouette: Silhouette, positions_m: NDArray[np.float64], sigma_m: NDArray[np.float64]) -> Joints:
    visibility = joint_visibility(positions_m, silhouette)
    return Joints(
        stamp_ns=silhouette.stamp_ns,
        frame_id=silhouette.frame_id,
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=joint_confidence(sigma_m, visibility),
        sigma_m=sigma_m,
        visibility=visibility,
    )


def _depth_near(depth_m: NDArray[np.float32], x: float, y: float, radius_px: int = 6) -> float:
    """Return the median depth [m] of the person in a window around a pixel, NaN = no return."""
    row, column = round(y), round(x)
    window = depth_m[max(row - radius_px, 0) : row + radius_px + 1, max(column - radius_px, 0) : column + radius_px + 1]
    valid_m = window[np.isfinite(window)]
    return float(np.median(valid_m)) if len(valid_m) else float("nan")
