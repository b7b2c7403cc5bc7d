"""Benchmark of the body fit: errors from noisy joints and rendered depth, speed, and real Kinect recordings."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.initial_pose import FACING_CAMERA
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.geometry.rotations import axis_angles_from_matrices
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.random_people import observed_joints, random_person_joints
from rehab_pose_lab.datasets.clip import joints_of_clip
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS, load_kimore
from rehab_pose_lab.datasets.kinect_joints import kinect_offsets_m
from rehab_pose_lab.training.random_poses import PoseSampler
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body, BodyParameters, Joints
    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["body_metrics", "body_speed_metrics", "kimore_metrics", "surface_metrics", "synthetic_metrics"]

COLD_STARTS = 300
NOISE_M = 0.01
"""Standard deviation of the noise on each coordinate [m]."""
FAILED_M = 0.03
"""Mean joint error from which a fit has failed [m]."""
FRAME_NS = 33_333_333
SIGMA_M = NOISE_M * np.sqrt(3.0)
"""Standard deviation that the fit assumes for a joint [m]."""
TWISTED = tuple(
    (SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}"))
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"))
)
"""Proximal and distal joint of upper arms, forearms and thighs."""
SURFACE_FRAMES, LEARNING_FRAMES = 240, 75
"""Frames of a scene, and first frames that are not evaluated because the shape is still being estimated."""
SURFACE_SCENES = (
    ("arm_lifting", "realsense", 0.0, 0.0),
    ("squat", "kinect", -20.0, 0.0),
    ("trunk_rotation", "realsense", 30.0, 0.01),
    ("lateral_trunk_tilt", "kinect", 15.0, 0.02),
    ("pelvis_rotation", "realsense", -10.0, 0.0),
)
"""Movement, sensor, yaw [deg] and clothes [m]."""
FIRST_SEED = 5001
JUMP_RAD, STILL_RAD = np.radians(15.0), np.radians(5.0)
"""A joint jumps when it rotates by more than the first angle between two frames while no measured bone rotates by more
than the second."""


def body_metrics(kimore: Path | None) -> dict[str, float]:
    """Return all metrics; those of KIMORE are NaN where the folder does not contain its recordings."""
    metrics = {**synthetic_metrics(), **surface_metrics(), **body_speed_metrics()}
    real = {"kimore_residual_mm_median": float("nan"), "kimore_jumps": float("nan")}
    if kimore is not None and (kimore / "index.csv").is_file():
        real = kimore_metrics([clip for clip in load_kimore(kimore) if clip.name not in SUSPECT_CLIPS])
    return {**metrics, **real}


def synthetic_metrics() -> dict[str, float]:
    """Return errors on random poses of random bodies from joints with noise, from cold starts and tracked."""
    model, random = load_body_model(), np.random.default_rng(FIRST_SEED)
    sampler = PoseSampler(random)
    fitter = BodyFitter(BodySettings(with_vertices=False))
    cold = []
    for _ in range(COLD_STARTS):
        truth = random_person_joints(model, sampler, random, np.array([0.1, 0.0, 2.5]))
        fitter.reset()
        body = fitter.fit(observed_joints(truth + random.normal(0.0, NOISE_M, truth.shape), SIGMA_M))
        cold.append(_mean_distance(body, truth))
    camera = SimulatedCamera(SimulationSettings(seed=FIRST_SEED, shape_seed=FIRST_SEED))
    warm = []
    fitter.reset()
    for index in range(camera.length_frames):
        parameters = camera.motion_at(index).parameters
        truth = pose_joints(model, parameters)[0] @ FACING_CAMERA + [0.0, 1.0, 2.6]
        noisy = truth + random.normal(0.0, NOISE_M, truth.shape)
        body = fitter.fit(observed_joints(noisy, SIGMA_M, index * FRAME_NS))
        if index >= LEARNING_FRAMES:
            warm.append(_mean_distance(body, truth))
    return {
        "cold_failures": float(np.count_nonzero(np.array(cold) > FAILED_M)),
        "cold_error_mm": float(1e3 * np.mean(cold)),
        "warm_error_mm": float(1e3 * np.mean(warm)),
    }


def _mean_distance(body: Body | None, truth_m: NDArray[np.float64]) -> float:
    """Return the mean distance of the fitted from the true joints (24, 3) [m]; infinity without a fit."""
    return float("inf") if body is None else float(np.linalg.norm(body.joint_positions_m - truth_m, axis=1).mean())


def surface_metrics() -> dict[str, float]:
    """Return errors of mesh, joints, twist and height on rendered depth, with predicted silhouettes and joints."""
    vertices, twists, heights, joints_mm = [], [], [], []
    for number, (exercise, noise, yaw_deg, clothing_m) in enumerate(tqdm(SURFACE_SCENES, desc="surface")):
        seed = FIRST_SEED + number
        settings = SimulationSettings(
            exercise=exercise, noise=noise, yaw_deg=yaw_deg, clothing_m=clothing_m, seed=seed, shape_seed=seed
        )
        camera, cleaner = SimulatedCamera(settings), DepthCleaner()
        segmenter, predictor, fitter = SilhouetteSegmenter(), JointPredictor(), BodyFitter()
        model = fitter.model
        for index in range(SURFACE_FRAMES):
            simulated = camera.frame(index)
            depth_m = cleaner.clean(simulated.frame.depth_m)
            silhouette = segmenter.segment(replace(simulated.frame, depth_m=depth_m))
            body = None if silhouette is None else fitter.fit(predictor.predict(silhouette), silhouette)
            if body is None or index < LEARNING_FRAMES:
                continue
            truth = simulated.truth
            vertices.append(np.linalg.norm(body.vertices_m - truth.vertices_m, axis=1).mean())
            joints_mm.append(np.linalg.norm(body.joint_positions_m - truth.joints_m, axis=1).mean())
            for joint, end in TWISTED:
                along = model.joint_template[end] - model.joint_template[joint]
                twists.append(_twist_rad(truth.joint_rotations[joint].T @ body.joint_rotations[joint], along))
            heights.append(abs(_height_m(fitter, body) / _height_m(fitter, truth) - 1.0))
    return {
        "vertex_error_mm": float(1e3 * np.mean(vertices)),
        "surface_joint_error_mm": float(1e3 * np.mean(joints_mm)),
        "twist_error_deg": float(np.degrees(np.mean(np.abs(twists)))),
        "height_error_pct": float(100.0 * np.mean(heights)),
    }


def _twist_rad(rotation: NDArray[np.float64], along: NDArray[np.float64]) -> float:
    """Return the twist of a rotation (3, 3) about an axis (3): swing-twist decomposition of its quaternion [rad]."""
    vector = axis_angles_from_matrices(rotation)
    angle = float(np.linalg.norm(vector))
    axis = along / np.linalg.norm(along)
    half = np.sin(angle / 2.0) * float(vector @ axis) / max(angle, 1e-12)
    twist = 2.0 * np.arctan2(half, np.cos(angle / 2.0))
    return float((twist + np.pi) % (2.0 * np.pi) - np.pi)


def _height_m(fitter: BodyFitter, body: object) -> float:
    parameters: BodyParameters = body.parameters  # type: ignore[attr-defined]
    betas = fitter.model.padded_betas(parameters.betas)
    return float(np.ptp((fitter.model.v_template + fitter.model.shapedirs @ betas)[:, 1]))


def body_speed_metrics(frames: int = 200) -> dict[str, float]:
    """Return the median time of one fit on one core [ms]: tracked, cold start, with depth points, and of the mesh."""
    camera = SimulatedCamera(SimulationSettings(exercise="squat", seed=FIRST_SEED))
    segmenter, predictor = SilhouetteSegmenter(), JointPredictor()
    observed = []
    for index in range(frames):
        silhouette = segmenter.segment(camera.frame(index).frame)
        if silhouette is not None:
            observed.append((silhouette, predictor.predict(silhouette)))
    plain = BodyFitter(BodySettings(with_vertices=False))
    deep = BodyFitter(BodySettings(with_vertices=False, surface_points=500))
    for fitter in (plain, deep):
        fitter.warm_up()
    for silhouette, joints in observed[:75]:
        plain.fit(joints)
        deep.fit(joints, silhouette)
    warm, cold, surface, mesh = [], [], [], []
    for silhouette, joints in observed[75:]:
        warm.append(_seconds(lambda joints=joints: plain.fit(joints)))
        surface.append(_seconds(lambda joints=joints, silhouette=silhouette: deep.fit(joints, silhouette)))
    for _, joints in observed[75:]:
        plain.process(None)
        cold.append(_seconds(lambda joints=joints: plain.fit(joints)))
    body = plain.fit(observed[-1][1])
    if body is not None:
        arguments = (plain.model, body.parameters, body.joint_positions_m, body.joint_rotations)
        mesh = [_seconds(lambda: pose_vertices_of_joints(*arguments)) for _ in range(100)]
    rows = {"lm_warm_ms": warm, "lm_cold_ms": cold, "lm_surface_ms": surface, "vertices_ms": mesh}
    return {name: float(1e3 * np.median(values)) for name, values in rows.items()}


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def kimore_metrics(clips: list[Clip]) -> dict[str, float]:
    """Return residuals and jumps of the fit on Kinect recordings; the shape is kept between recordings of a subject."""
    subjects: dict[str, list[Clip]] = {}
    for clip in clips:
        subjects.setdefault(clip.subject, []).append(clip)
    residuals, jumps, frames = [], 0, 0
    for takes in tqdm(subjects.values(), unit="subject", desc="kimore"):
        settings = BodySettings(with_vertices=False, shape_memory_s=3600.0)
        fitter = BodyFitter(settings, offsets_m=kinect_offsets_m())
        stamp_ns = 0
        for clip in takes:
            previous: tuple[Joints, Body] | None = None
            for joints, body in _fits(fitter, clip, stamp_ns):
                stamp_ns = joints.stamp_ns + FRAME_NS
                residuals.append(body.residual_m)
                jumps += previous is not None and _jumps(previous, (joints, body))
                previous = (joints, body)
                frames += 1
    return {
        "kimore_residual_mm_median": float(1e3 * np.median(residuals)),
        "kimore_jumps": float(jumps),
        "kimore_frames": float(frames),
    }


def _fits(fitter: BodyFitter, clip: Clip, first_stamp_ns: int) -> Iterator[tuple[Joints, Body]]:
    for joints in joints_of_clip(clip, first_stamp_ns=first_stamp_ns):
        body = fitter.fit(joints)
        if body is not None:
            yield joints, body


def _jumps(previous: tuple[Joints, Body], current: tuple[Joints, Body]) -> bool:
    """Return whether a joint of the fit jumps between two frames."""
    rotations = np.swapaxes(previous[1].joint_rotations, 1, 2) @ current[1].joint_rotations
    if np.linalg.norm(axis_angles_from_matrices(rotations), axis=1).max() <= JUMP_RAD:
        return False
    return _max_bone_angle_rad(previous[0].positions_m, current[0].positions_m) < float(STILL_RAD)


def _max_bone_angle_rad(previous_m: NDArray[np.float64], current_m: NDArray[np.float64]) -> float:
    """Return the largest angle by which a measured bone rotates between two frames [rad]; infinity without bones.

    Args:
        previous_m: (24, 3) joints [m]; NaN = missing.
        current_m: (24, 3) joints of the next frame [m].
    """
    angles = []
    measured = np.asarray(np.isfinite(previous_m).all(axis=1) & np.isfinite(current_m).all(axis=1))
    for joint in np.flatnonzero(measured):
        above = SMPL_24.parents[joint]
        while above >= 0 and not measured[above]:
            above = SMPL_24.parents[above]
        if above < 0:
            continue
        first, second = previous_m[joint] - previous_m[above], current_m[joint] - current_m[above]
        lengths = np.linalg.norm(first) * np.linalg.norm(second)
        angles.append(np.arccos(np.clip(first @ second / max(lengths, 1e-9), -1.0, 1.0)))
    return float(max(angles, default=np.inf))
