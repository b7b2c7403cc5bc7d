"""Training steps, checkpoints and exported weights of the recogniser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import ModelFileError, RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_classifier import SHIPPED_WEIGHTS, WindowClassifier
from rehab_pose.exercise.window_features import WINDOW_SAMPLES
from rehab_pose_lab.training.evaluation_classifier import EvaluationClassifier
from rehab_pose_lab.training.exercise_windows import TrainingClip, WindowSampler

if TYPE_CHECKING:
    from pathlib import Path


torch = pytest.importorskip("torch", reason="training needs torch")

MEGABYTE = 1 << 20


def test_the_loss_of_one_batch_decreases_by_training_on_it(training_clips: list[TrainingClip]) -> None:
    from rehab_pose_lab.training.exercise_fit import TrainingPlan, TrainingRun  # noqa: PLC0415

    batch = WindowSampler(training_clips).draw(16, np.random.default_rng(0))
    run = TrainingRun(TrainingPlan(epochs=1, steps_per_epoch=60))
    losses = [run.step(batch) for _ in range(60)]
    # All windows have an exercise, half of them a label; label smoothing leaves a loss of about 0.4.
    assert losses[0] > 2.5
    assert losses[-1] < 1.3


def test_a_resumed_run_has_the_state_of_the_checkpoint(training_clips: list[TrainingClip], tmp_path: Path) -> None:
    from rehab_pose_lab.training.exercise_fit import TrainingPlan, TrainingRun  # noqa: PLC0415

    sampler, plan = WindowSampler(training_clips), TrainingPlan(epochs=2, steps_per_epoch=2)
    first = TrainingRun(plan)
    first.step(sampler.draw(4, np.random.default_rng(0)))
    first.save(tmp_path / "checkpoint.pt")
    second = TrainingRun(plan)
    second.resume(tmp_path / "checkpoint.pt")
    for name, value in first.average.state_dict().items():
        torch.testing.assert_close(second.average.state_dict()[name], value, rtol=0, atol=0)
    assert second.schedule.get_last_lr() == first.schedule.get_last_lr()
    with pytest.raises(RecordingError, match="same plan"):
        TrainingRun(TrainingPlan(epochs=3)).resume(tmp_path / "checkpoint.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_exported_file_gives_the_logits_of_the_network(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the export needs onnxscript")
    from rehab_pose_lab.training.exercise_fit import export_onnx  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415

    torch.manual_seed(1)
    network = ExerciseNetwork().eval()
    extra = {"temperature": "1.5", "exercise_temperature": "0.5", "familiar_energy": "-2.0"}
    export_onnx(network, tmp_path / "small.onnx", LABELS, extra)
    classifier = EvaluationClassifier(str(tmp_path / "small.onnx"))
    rng = np.random.default_rng(0)
    for size in (1, 5):
        features = rng.normal(size=(size, WINDOW_SAMPLES, STREAM_COUNT)).astype(np.float32)
        present = (rng.random((size, WINDOW_SAMPLES)) < 0.8).astype(np.float32)
        with torch.no_grad():
            expected, among = network(torch.from_numpy(features), torch.from_numpy(present))
        np.testing.assert_allclose(classifier.logits(features, present), expected / 1.5, atol=2e-5)
        np.testing.assert_allclose(classifier.exercise_logits(features, present), among / 0.5, atol=5e-5)


def test_the_shipped_weights_are_small_and_identified() -> None:
    assert SHIPPED_WEIGHTS.stat().st_size < 15 * MEGABYTE
    assert WindowClassifier().model_id.startswith("exercise-")


def test_weights_for_other_labels_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes a file with other labels")
    model = onnx.load(str(SHIPPED_WEIGHTS))
    metadata = {entry.key: entry.value for entry in model.metadata_props} | {"labels": "none,dancing"}
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(tmp_path / "other.onnx"))
    with pytest.raises(ModelFileError, match="expected labels"):
        WindowClassifier(str(tmp_path / "other.onnx"))
