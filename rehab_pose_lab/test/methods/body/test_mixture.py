"""MixturePrior: the density's formula, files in SMPLify's format, damaged and hostile files, training."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.cli.main import main
from rehab_pose_lab.methods.body.mixture import POSE_MIXTURE_PATH, POSE_SIZE, MixturePrior, load_mixture_prior
from rehab_pose_lab.training.pose_prior import fit_mixture, poses_as_vectors
from rehab_pose_lab.training.random_poses import PoseSampler

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def random_arrays(seed: int, components: int = 8) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    roots = random.normal(0.0, 0.1, (components, POSE_SIZE, POSE_SIZE))
    covars = roots @ roots.swapaxes(1, 2) + 0.02 * np.eye(POSE_SIZE)
    weights = random.uniform(0.5, 1.0, components)
    return {
        "means": random.normal(0.0, 0.3, (components, POSE_SIZE)),
        "covars": covars,
        "weights": weights / weights.sum(),
    }


def write_pickle(path: Path, content: object, protocol: int = 2) -> str:
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return str(path)


def plain_energy(arrays: dict[str, NDArray[np.float64]], theta: NDArray[np.float64]) -> float:
    logs = []
    for mean, covar, weight in zip(arrays["means"], arrays["covars"], arrays["weights"], strict=True):
        apart = theta - mean
        logs.append(
            np.log(weight)
            - 0.5 * (apart @ np.linalg.solve(covar, apart) + np.linalg.slogdet(2.0 * np.pi * covar).logabsdet)
        )
    return float(-np.logaddexp.reduce(logs))


def test_the_energy_is_the_negative_log_density_and_its_gradient_matches_finite_differences() -> None:
    arrays, random = random_arrays(0, 3), np.random.default_rng(1)
    prior = MixturePrior(**arrays)
    theta = random.normal(0.0, 0.3, (4, POSE_SIZE))
    values, gradients = prior.energy(theta)
    for pose, value, gradient in zip(theta, values, gradients, strict=True):
        assert value == pytest.approx(plain_energy(arrays, pose), rel=1e-10)
        direction, step = random.normal(size=POSE_SIZE), 1e-5
        slope = (prior.energy(pose + step * direction)[0] - prior.energy(pose - step * direction)[0]) / (2 * step)
        assert float(gradient @ direction) == pytest.approx(float(slope), rel=1e-6)
    far = prior.energy(np.full(POSE_SIZE, 50.0))
    assert np.isfinite(far[0])
    assert np.isfinite(far[1]).all()
    with pytest.raises(ContractError, match="23 joints"):
        prior.energy(np.zeros(72))


def test_the_quadratic_is_the_nearest_component() -> None:
    arrays = random_arrays(2)
    prior = MixturePrior(**arrays)
    for k in (0, 5):
        theta = arrays["means"][k] + 0.01
        centre, precision = prior.quadratic(theta)
        np.testing.assert_array_equal(centre, arrays["means"][k])
        np.testing.assert_allclose(precision @ arrays["covars"][k], np.eye(POSE_SIZE), atol=1e-8)
        np.testing.assert_allclose(precision @ (theta - centre), prior.energy(theta)[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_file_like_gmm_08_is_read(protocol: int, tmp_path: Path) -> None:
    arrays = random_arrays(3)
    theta = np.random.default_rng(4).normal(0.0, 0.3, POSE_SIZE)
    prior = load_mixture_prior(write_pickle(tmp_path / "gmm_08.pkl", arrays, protocol))
    assert prior.energy(theta)[0] == pytest.approx(plain_energy(arrays, theta), rel=1e-9)
    np.savez(tmp_path / "gmm.npz", **arrays)
    assert load_mixture_prior(str(tmp_path / "gmm.npz")).energy(theta)[0] == pytest.approx(prior.energy(theta)[0])


class Hostile:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.victim)!r}, 'w').close()",)


def test_a_hostile_file_is_refused_without_running_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    path = write_pickle(tmp_path / "gmm_08.pkl", {**random_arrays(5, 1), "extra": Hostile(victim)})
    with pytest.raises(ModelFileError, match="was not run"):
        load_mixture_prior(path)
    np.savez(tmp_path / "gmm.npz", means=np.array([Hostile(victim)], dtype=object))
    with pytest.raises(ModelFileError, match="damaged or not"):
        load_mixture_prior(str(tmp_path / "gmm.npz"))
    assert not victim.exists()


@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
@pytest.mark.parametrize("length", [0, 10, 20_000])
def test_a_truncated_file_is_an_error_that_names_the_file(suffix: str, length: int, tmp_path: Path) -> None:
    content = pickle.dumps(random_arrays(6), protocol=2) if suffix == ".pkl" else POSE_MIXTURE_PATH.read_bytes()
    path = tmp_path / f"gmm{suffix}"
    path.write_bytes(content[:length])
    with pytest.raises(ModelFileError, match=r"cut|damaged"):
        load_mixture_prior(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": None}, "lacks weights"),
        ({"weights": np.zeros(8)}, "positive numbers"),
        ({"weights": np.ones(7)}, "weights"),
        ({"means": np.zeros((8, 63))}, "means"),
        ({"means": np.full((8, POSE_SIZE), np.nan)}, "finite"),
        ({"covars": np.zeros((8, POSE_SIZE, POSE_SIZE))}, "positive definite"),
        ({"covars": np.triu(np.ones((8, POSE_SIZE, POSE_SIZE)))}, "symmetric"),
        ({"covars": "many"}, "not a mixture"),
    ],
)
def test_other_arrays_are_an_error(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    arrays = {name: array for name, array in {**random_arrays(7), **change}.items() if array is not None}
    with pytest.raises(ModelFileError, match=message):
        load_mixture_prior(write_pickle(tmp_path / "gmm.pkl", arrays))


def test_no_such_file_or_no_dictionary_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="expected a"):
        load_mixture_prior(str(tmp_path / "absent.pkl"))
    with pytest.raises(ModelFileError, match="dictionary"):
        load_mixture_prior(write_pickle(tmp_path / "list.pkl", [1, 2]))


def test_the_shipped_mixture_is_small_and_prefers_standing() -> None:
    assert POSE_MIXTURE_PATH.stat().st_size <= 300_000
    prior = load_mixture_prior()
    assert prior.means.shape == (8, POSE_SIZE)
    standing = np.zeros((24, 3))
    standing[SMPL_24.index("left_shoulder"), 2], standing[SMPL_24.index("right_shoulder"), 2] = -1.2, 1.2
    bent = standing.copy()
    bent[SMPL_24.index("left_knee"), 0] = bent[SMPL_24.index("right_knee"), 0] = -0.8
    energies = [float(prior.energy(pose[1:].ravel())[0]) for pose in (standing, bent)]
    assert energies[1] > energies[0] + 10.0, "knees do not bend forwards"


def test_training_recovers_the_mixture_that_generated_the_data() -> None:
    random = np.random.default_rng(8)
    centres = random.normal(0.0, 1.0, (3, POSE_SIZE))
    places = random.choice(3, 1500, p=[0.5, 0.3, 0.2])
    data = centres[places] + random.normal(0.0, 0.2, (1500, POSE_SIZE))
    fit = fit_mixture(data, 3, np.full(POSE_SIZE, 1e-6), seed=0)
    assert (np.diff(fit.log_likelihoods) >= -1e-9).all()
    order = np.argsort(-fit.prior.weights)
    np.testing.assert_allclose(fit.prior.weights[order], np.bincount(places) / 1500, atol=1e-6)
    np.testing.assert_allclose(fit.prior.means[order], centres, atol=0.06)
    again = fit_mixture(data, 3, np.full(POSE_SIZE, 1e-6), seed=0)
    np.testing.assert_array_equal(again.prior.means, fit.prior.means)
    one = fit_mixture(data, 1, np.zeros(POSE_SIZE), seed=0).prior
    np.testing.assert_allclose(one.covars[0], np.cov(data.T, bias=True), atol=1e-6)


def test_the_command_writes_a_mixture_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fitted poses in a folder that an earlier run made are reused."""
    (tmp_path / ".rehab_pose_lab").write_text("train")
    for name, seed in (("poses", 10), ("held_out_poses", 11)):
        sampler = PoseSampler(np.random.default_rng(seed))
        np.savez(tmp_path / f"{name}.npz", rotations_rad=np.stack([sampler.sample().rotations_rad for _ in range(150)]))
    assert main(["train", "pose-prior", "--data", str(tmp_path), "-o", str(tmp_path)]) == 0
    assert "log likelihood held out" in capsys.readouterr().out
    prior = load_mixture_prior(str(tmp_path / "pose_mixture.npz"))
    assert prior.means.shape == (8, POSE_SIZE)
    assert prior.weights.sum() == pytest.approx(1.0)


def test_training_poses_include_their_mirror_images() -> None:
    sampler = PoseSampler(np.random.default_rng(9))
    rotations = np.stack([sampler.sample().rotations_rad for _ in range(5)])
    vectors = poses_as_vectors(rotations).reshape(2, 5, 23, 3)
    left, right = SMPL_24.index("left_elbow") - 1, SMPL_24.index("right_elbow") - 1
    np.testing.assert_allclose(vectors[1, :, left], vectors[0, :, right] * [1.0, -1.0, -1.0], atol=1e-12)
    full_turn = rotations * (1.0 + 2.0 * np.pi / np.linalg.norm(rotations, axis=2, keepdims=True))
    np.testing.assert_allclose(poses_as_vectors(full_turn), vectors.reshape(10, -1), atol=1e-9)
