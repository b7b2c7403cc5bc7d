"""Detection of the followed person's landmarks in colour images, with tracking from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ImageJoints, PersonMask, RgbdFrame, Silhouette
from rehab_pose.geometry.gravity import roll_rad
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.image_joints.landmark_track import LandmarkSample, LandmarkTrack
from rehab_pose.image_joints.region import Region
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.skeletons.blazepose33 import BLAZEPOSE_33, landmark
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.weights import Network

__all__ = ["DEFAULT_LANDMARKS", "DEFAULT_MASK", "ImageJointDetector"]

DEFAULT_LANDMARKS = Path(__file__).with_name("landmarks.onnx")
DEFAULT_MASK = Path(__file__).with_name("mask.onnx")
INPUT_NAME = "image"
"""Name of the network's input in the ONNX file of the landmarks."""
OUTPUT_NAMES = ("landmarks", "score", "world")
"""Names of its first outputs; the others are the inputs of the mask's network, under the same names."""
FEATURES = ("features_8", "features_16", "features_32", "features_64", "features_128")
"""Names of the feature maps by the side of each map [px]."""
COUNT = len(BLAZEPOSE_33)
HIPS, CIRCLE = COUNT, COUNT + 1
"""Auxiliary landmarks after the 33: middle of the hips, and a point on the circle around the person."""
TRUNK = [landmark(name) for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
SEED_EVERY_FRAMES = 6
"""Frames between two attempts to find the person, each of which runs the network several times."""
QUARTER_TURNS_RAD = (0.0, 0.5 * np.pi, -0.5 * np.pi, np.pi)
"""Orientations of the body relative to gravity that are tried: upright first, then lying, then upside down [rad]."""
CERTAIN_QUALITY = 0.75
"""An upright person in an upright image with at least this quality is accepted without trying other orientations."""
STABILITY_LOSS = 5.0
"""Loss of quality per mean movement of the landmarks between two runs in the same frame, in sides of the region."""
LIMBS = [landmark(f"{side}_{name}") for side in ("left", "right")
         for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]  # fmt: skip
MIN_INSIDE = 0.5
"""Smallest fraction of the trunk's landmarks that are in the silhouette's box, with a margin."""
MAX_SHIFT = 0.35
"""Largest movement of the region between frames as a fraction of its side; a larger one is another person."""
MAX_SCALE = 1.5
"""Largest change of the region's side between frames."""
MAX_MASK_AGE_NS = 150_000_000
"""Largest age of a mask, whatever the frame rate [ns]."""
ARMS = [landmark(f"{side}_{name}") for side in ("left", "right") for name in ("elbow", "wrist", "index")]
ARM_VISIBILITY, MAX_ARM_SHIFT = 0.5, 0.04
"""The mask is computed again when an arm's landmark that is more probably visible than the first has moved by more than
the second, in sides of the region, since the last mask: 6 cm."""
MIN_MASK_FRAMES = 2
"""Frames between two masks at least, however fast an arm moves: a mask takes nearly as long as the landmarks."""
MIN_FRAME_NS = 30_000_000
"""Frames of a faster camera count as this part of a frame between two masks, as the person moves less between them: the
period of 30 Hz, less a margin for the camera's jitter [ns]."""
MAX_AGE_NS = 500_000_000
"""After a longer gap between frames the person is looked for again [ns]."""


@dataclass(frozen=True, eq=False)
class _Detection:
    """Output of the network in one region."""

    region: Region
    sample: LandmarkSample
    """Its 35 pixels are those of the landmarks and of the two auxiliary ones."""
    features: dict[str, NDArray[np.float32]]


class ImageJointDetector:
    """Finds the landmarks of one person and follows them by itself.

    The person is chosen by the silhouette stage: `seed` gives the detector a silhouette found in depth.
    """

    def __init__(self, settings: ImageJointSettings | None = None) -> None:
        """Load the networks, unless the settings exclude colour.

        Raises:
            ModelFileError: Weights cannot be used.
        """
        self._settings = settings or ImageJointSettings()
        self._landmarks: Network | None = None
        self._mask: Network | None = None
        if self._settings.enabled:
            self._landmarks = load_network(self._settings.landmarks_path or DEFAULT_LANDMARKS, (INPUT_NAME,))
            self._mask = load_network(self._settings.mask_path or DEFAULT_MASK, FEATURES)
        self.reset()

    @property
    def model_id(self) -> str:
        """Name and hash of the weights; empty if colour is not used."""
        return self._landmarks.model_id if self._landmarks else ""

    @property
    def enabled(self) -> bool:
        """True if colour is used."""
        return self._landmarks is not None

    @property
    def tracking(self) -> bool:
        """True while a person is followed."""
        return self._region is not None

    def reset(self) -> None:
        """Forget the person and when it was last looked for (time jumped back, or another recording)."""
        self.lose_person()
        self._frames_to_seed = 0

    def lose_person(self) -> None:
        """Forget the person; the next attempt to find one keeps to its interval."""
        self._track = LandmarkTrack()
        self._region: Region | None = None
        self._stamp_ns = 0
        self._frames_to_mask = 0
        self._mask_stamp_ns: int | None = None
        self._mask_pixels = np.full((COUNT + 2, 2), np.nan)

    def process(self, item: RgbdFrame | None) -> ImageJoints | None:
        """Return the landmarks of the followed person; None if no person is followed."""
        return None if item is None else self.detect(item)

    def detect(self, frame: RgbdFrame) -> ImageJoints | None:
        """Return the landmarks of the followed person in a frame; None if no person is followed or it is lost."""
        self._frames_to_seed = max(self._frames_to_seed - 1, 0)
        if self._region is None or self._landmarks is None:
            return None
        if not 0 < frame.stamp_ns - self._stamp_ns <= MAX_AGE_NS:
            self.reset()
            return None
        predicted = self._track.predict(frame.stamp_ns, self._region.side_px, self._settings.extrapolation_s)
        if predicted is not None:
            self._region = _region_around(predicted)
            self._stamp_ns = frame.stamp_ns
            self._frames_to_mask -= 1
            return _image_joints(frame, predicted, extrapolated=True)
        detection = self._run(frame, self._region)
        region = _region_around(detection.sample)
        if detection.sample.score < self._settings.minimum_score or not _follows(self._region, region):
            self.lose_person()
            return None
        return self._accept(frame, detection)

    def seed(self, frame: RgbdFrame, silhouette: Silhouette) -> ImageJoints | None:
        """Look for the person of a silhouette in the same frame and follow it; None if it is not found.

        The attempt is made in every SEED_EVERY_FRAMES-th frame only, as it takes several times as long as following.
        """
        if self._landmarks is None or self._frames_to_seed > 0:
            return None
        self._frames_to_seed = SEED_EVERY_FRAMES
        upright_rad = roll_rad(silhouette.up)
        best, best_quality = None, 0.0
        for turn_rad in QUARTER_TURNS_RAD:
            region = Region.around_box(silhouette.box_px, upright_rad + turn_rad)
            first = self._run(frame, region)
            second = self._run(frame, _region_around(first.sample))
            quality = _quality(first, second) if _on_silhouette(second.sample, silhouette) else 0.0
            if quality > best_quality:
                best, best_quality = second, quality
            if quality >= CERTAIN_QUALITY and _is_upright(silhouette, upright_rad):
                break
        if best is None or best.sample.score < self._settings.minimum_score:
            return None
        self._mask_stamp_ns = None
        return self._accept(frame, best)

    def _accept(self, frame: RgbdFrame, detection: _Detection) -> ImageJoints:
        sample = detection.sample
        self._region, self._stamp_ns = _region_around(sample), frame.stamp_ns
        self._track.add(sample)
        mask = None
        if self._needs_mask(frame.stamp_ns, detection):
            self._frames_to_mask, self._mask_stamp_ns = self._settings.mask_interval, frame.stamp_ns
            self._mask_pixels = sample.pixels
            mask = self._run_mask(detection)
        self._frames_to_mask -= 1
        return _image_joints(frame, sample, mask)

    def _needs_mask(self, stamp_ns: int, detection: _Detection) -> bool:
        """Return whether the mask is due, too old, or an arm has moved far since the last one."""
        if self._mask_stamp_ns is None:
            return True
        interval, age_ns = self._settings.mask_interval, stamp_ns - self._mask_stamp_ns
        frames = min(interval - self._frames_to_mask, age_ns / MIN_FRAME_NS)
        if frames >= interval or age_ns > MAX_MASK_AGE_NS:
            return True
        if frames < MIN_MASK_FRAMES:
            return False
        sample = detection.sample
        visible = sample.visibility[ARMS] > ARM_VISIBILITY
        moved_px = np.linalg.norm(sample.pixels[ARMS] - self._mask_pixels[ARMS], axis=1)[visible]
        return bool((moved_px > MAX_ARM_SHIFT * detection.region.side_px).any())

    def _run(self, frame: RgbdFrame, region: Region) -> _Detection:
        assert self._landmarks is not None  # noqa: S101  (callers check it; narrows the type)
        outputs = self._landmarks.session.run(None, {INPUT_NAME: region.cut(frame.color)})
        landmarks = outputs[0].reshape(-1, 5).astype(np.float64)
        about_view = matrices_from_axis_angles(np.array([0.0, 0.0, region.angle_rad]))
        world = outputs[2].reshape(-1, 3)[:COUNT].astype(np.float64)
        sample = LandmarkSample(
            stamp_ns=frame.stamp_ns,
            pixels=region.in_image(landmarks[: COUNT + 2, :2]),
            visibility=1.0 / (1.0 + np.exp(-landmarks[:COUNT, 3])),
            relative_m=world @ about_view.T,
            score=float(outputs[1].ravel()[0]),
        )
        return _Detection(region, sample, dict(zip(FEATURES, outputs[len(OUTPUT_NAMES) :], strict=True)))

    def _run_mask(self, detection: _Detection) -> PersonMask | None:
        if self._mask is None:
            return None
        logits = self._mask.session.run(None, detection.features)[0]
        side_px = logits.shape[1]
        return PersonMask(logits.reshape(side_px, side_px), detection.region.image_from_crop)


def _image_joints(
    frame: RgbdFrame, sample: LandmarkSample, mask: PersonMask | None = None, *, extrapolated: bool = False
) -> ImageJoints:
    return ImageJoints(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        pixels=sample.pixels[:COUNT],
        visibility=sample.visibility,
        relative_m=sample.relative_m,
        score=sample.score,
        extrapolated=extrapolated,
        mask=mask,
    )


def _region_around(sample: LandmarkSample) -> Region:
    """Return the region of the next frame."""
    return Region.around_person(sample.pixels[HIPS], sample.pixels[CIRCLE])


def _follows(before: Region, after: Region) -> bool:
    """Return whether a region can be that of the same person one frame later."""
    shift_px = np.hypot(after.centre_x_px - before.centre_x_px, after.centre_y_px - before.centre_y_px)
    scale = after.side_px / before.side_px
    return bool(shift_px < MAX_SHIFT * before.side_px and 1.0 / MAX_SCALE < scale < MAX_SCALE)


def _quality(first: _Detection, second: _Detection) -> float:
    """Return a measure, 0-1, of how well a network's input is oriented, from two runs of which one continues the other.

    In a wrong orientation the score may be high too, but landmarks are invisible and move from run to run.
    """
    moved_px = np.linalg.norm(second.sample.pixels - first.sample.pixels, axis=1).mean()
    stability = max(0.0, 1.0 - STABILITY_LOSS * float(moved_px) / first.region.side_px)
    score = min(first.sample.score, second.sample.score)
    return score * float(second.sample.visibility[LIMBS].mean()) * stability


def _is_upright(silhouette: Silhouette, upright_rad: float) -> bool:
    """Return whether a silhouette is higher than wide in the image turned upright."""
    _, _, width, height = silhouette.box_px
    turned = abs(np.sin(upright_rad)) > abs(np.cos(upright_rad))
    return (width > height) if turned else (height > width)


def _on_silhouette(sample: LandmarkSample, silhouette: Silhouette) -> bool:
    """Return whether most of the trunk's landmarks are in the box of the silhouette."""
    x, y, width, height = silhouette.box_px
    margin_px = 0.1 * max(width, height)
    trunk = sample.pixels[TRUNK]
    inside = (
        (trunk[:, 0] > x - margin_px)
        & (trunk[:, 0] < x + width + margin_px)
        & (trunk[:, 1] > y - margin_px)
        & (trunk[:, 1] < y + height + margin_px)
    )
    return bool(inside.mean() >= MIN_INSIDE)
