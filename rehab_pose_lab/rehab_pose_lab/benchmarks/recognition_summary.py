"""Summary of the recogniser's experiments: metrics, confidence intervals and baselines in one flat table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import ArrayFile
from rehab_pose.exercise.catalogue import EXERCISES, LABELS, NONE, SQUAT
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.exercise_calibration import Calibration, calibrate
from rehab_pose_lab.training.exercise_experiments import FOLDS, SETS
from rehab_pose_lab.training.exercise_metrics import (
    confidence_interval,
    none_metrics,
    predict_labels,
    recognition_metrics,
)
from rehab_pose_lab.training.exercise_predictions import PHASES, Predictions, probabilities_of
from rehab_pose_lab.training.metrics import expected_calibration_error, fit_temperature

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["calibration_of_folds", "read_results", "summary"]

Result = dict[str, "NDArray[Any]"]
EVERYDAY = frozenset({"utkinect/walk", "utkinect/sitDown", "utkinect/standUp", "utkinect/waveHands"})
"""Movements of the main `none` metrics: sitting, walking and waving, in addition to all windows without movement."""
SQUATS = {"ui_prmd": "ui_prmd/correct/deep_squat", "mars": "mars//squat"}
"""Squats of other sets as data set, group and movement."""
STREAMED_TIMES = ("before", "inside", "over")
"""Times of a recording in which streamed frames are counted apart: before the exercise, from 2 s after its start to its
end, and after it."""
OTHER_SETS = ("utkinect/", "utd_mhad/", "mars/")
"""Sets whose movements are none of the exercises, without those that are ambiguous."""
THRESHOLDS = (0.45, 0.5, 0.51, 0.55, 0.6)
"""Thresholds of the live recogniser's confidence that are evaluated, including its default."""
DIGITS = 4
"""Digits after the decimal point in the file of metrics."""


def read_results(output: Path) -> dict[str, Result]:
    """Return the result of every finished experiment in a folder, by name of the experiment."""
    results: dict[str, Result] = {}
    for path in sorted(output.glob("*/result.npz")):
        result: Result = {}
        for part in (path, path.parent / "live.npz"):
            if part.is_file():
                with ArrayFile(part) as arrays:
                    result |= {name: arrays[name] for name in arrays.files}
        results[path.parent.name] = result
    return results


def _pooled(results: Sequence[Result], prefix: str = "") -> Predictions | None:
    """Return the predictions of several experiments as one; None where an experiment has none."""
    if not results or any(f"{prefix}truths" not in result for result in results):
        return None
    shifts = np.cumsum([0, *(len(result[f"{prefix}names"]) for result in results[:-1])])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([result[f"{prefix}{name}"] for result in results])

    places = [result[f"{prefix}window_places"] + shift for result, shift in zip(results, shifts, strict=True)]
    return Predictions(
        names=joined("names").tolist(),
        subjects=joined("subjects").tolist(),
        truths=joined("truths"),
        recordings=joined("recordings"),
        window_places=np.concatenate(places),
        windows=joined("windows"),
        streamed_right=joined("streamed_right"),
        streamed=joined("streamed"),
        skipped=joined("skipped").tolist(),
        window_phases=joined("window_phases"),
        phases_right=joined("phases_right"),
        phases_streamed=joined("phases_streamed"),
    )


def calibration_of_folds(results: Mapping[str, Result]) -> Calibration | None:
    """Return the calibration of a network trained on all subjects, fitted to the held-out subjects of all folds."""
    folds = _folds(results)
    predictions = _pooled(folds)
    if predictions is None:
        return None
    if any("live_logits" not in result for result in folds):
        return None
    logits = np.concatenate([result["live_logits"] for result in folds])
    return calibrate(logits, np.concatenate([result["live_truths"] for result in folds]), predictions)


def _folds(results: Mapping[str, Result]) -> list[Result]:
    return [results[name] for name in (f"kimore_fold{fold}" for fold in range(FOLDS)) if name in results]


def summary(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the metrics of all finished experiments."""
    metrics: dict[str, Any] = {}
    folds = _folds(results)
    metrics["kimore_folds_done"] = len(folds)
    if folds:
        metrics |= _kimore(folds, "") | _kimore(folds, "forest_") | _live(folds) | _times(folds)
    if "kimore_controls" in results:
        for prefix in ("", "forest_"):
            predictions = _pooled([results["kimore_controls"]], prefix)
            if predictions is not None:
                scores = recognition_metrics(predictions, EXERCISES)
                metrics[f"{prefix}kimore_controls_to_patients_acc"] = scores["recording_acc"]
                metrics[f"{prefix}kimore_controls_to_patients_window_acc"] = scores["window_acc"]
                if not prefix:
                    metrics["kimore_controls_to_patients_wrong"] = scores["wrong"]
    for dataset in SETS:
        metrics |= _set(results, dataset)
    if "cross_squat" in results:
        metrics |= _across(results["cross_squat"])
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in metrics.items()}


def _kimore(folds: Sequence[Result], prefix: str) -> dict[str, Any]:
    """Return accuracies over all folds' recordings, with 95 % intervals over subjects."""
    predictions = _pooled(folds, prefix)
    if predictions is None:
        return {}
    correct = predictions.recordings.argmax(axis=-1) == predictions.truths
    clean = ~np.isin(predictions.names, sorted(SUSPECT_CLIPS))
    windows = predictions.windows.argmax(axis=-1) == predictions.truths[predictions.window_places]
    scores = recognition_metrics(predictions, EXERCISES)
    metrics: dict[str, Any] = {
        "kimore_recording_acc": float(correct.mean()),
        "kimore_recording_acc_clean": float(correct[clean].mean()),
        "kimore_window_acc": float(windows.mean()),
    }
    if predictions.streamed.sum():
        metrics["kimore_streaming_acc"] = float(predictions.streamed_right.sum()) / int(predictions.streamed.sum())
    metrics |= _by_phase(predictions, windows)
    if not prefix:
        subjects = np.array(predictions.subjects)
        metrics |= {
            "kimore_recording_acc_95": list(confidence_interval(correct, predictions.subjects, 0)),
            "kimore_window_acc_95": list(confidence_interval(windows, subjects[predictions.window_places].tolist(), 0)),
            "kimore_n_recordings": len(correct),
            "kimore_n_windows": len(windows),
            "kimore_wrong": scores["wrong"],
            "kimore_confusion": scores["confusion"],
            "kimore_window_f1": scores["f1"],
            "kimore_window_roc_auc": scores["roc_auc"],
        }
    return {f"{prefix}{name}": value for name, value in metrics.items()}


def _by_phase(predictions: Predictions, windows: NDArray[np.bool_]) -> dict[str, Any]:
    """Return accuracies apart for windows (W, right or not) and for streamed frames before, within and after."""
    inside = predictions.window_phases == PHASES.index("within")
    metrics: dict[str, Any] = {}
    if inside.any():
        subjects = np.array(predictions.subjects)[predictions.window_places[inside]].tolist()
        metrics["kimore_window_inside_acc"] = float(windows[inside].mean())
        metrics["kimore_window_inside_acc_95"] = list(confidence_interval(windows[inside], subjects, 0))
        metrics["kimore_window_acc_by_phase"] = {
            name: [round(float(windows[of_phase].mean()), DIGITS), int(of_phase.sum())]
            for place, name in enumerate(PHASES)
            if (of_phase := predictions.window_phases == place).any()
        }
    right, frames = predictions.phases_right.sum(axis=0), predictions.phases_streamed.sum(axis=0)
    for name, correct, count in zip(STREAMED_TIMES, right.tolist(), frames.tolist(), strict=True):
        if count:
            metrics[f"kimore_streaming_{name}_acc"] = correct / count
    if frames[1:].sum():
        metrics["kimore_streaming_after2s_acc"] = float(right[1:].sum()) / float(frames[1:].sum())
    return metrics


def _live(folds: Sequence[Result]) -> dict[str, Any]:
    """Return metrics of the live recogniser; each fold is calibrated with the windows of the other folds."""
    folds = [result for result in folds if "live_logits" in result]
    if not folds:
        return {}
    logits = [result["live_logits"] for result in folds]
    truths = [result["live_truths"] for result in folds]
    temperatures = [_temperature_without(fold, logits, truths) for fold in range(len(folds))]
    scaled = np.concatenate([part / value for part, value in zip(logits, temperatures, strict=True)])
    truth = np.concatenate(truths)
    movements = np.concatenate([result["live_shown"] for result in folds])
    everyday = np.isin(movements, sorted(EVERYDAY)) | np.char.endswith(movements, "/still") | (truth > 0)
    every = np.char.startswith(movements, "utkinect/") | np.char.endswith(movements, "/still") | (truth > 0)
    predicted = predict_labels(scaled)
    by_movement = {
        str(name): round(100.0 * float((predicted[movements == name] > 0).mean()), 2)
        for name in np.unique(movements[truth == 0])
        if (predicted[movements == name] > 0).any()
    }
    main = none_metrics(scaled[everyday], truth[everyday])
    others = np.any([np.char.startswith(movements, name) for name in OTHER_SETS], axis=0) & (truth == 0)
    others &= ~np.char.endswith(movements, "/still")
    return {
        "none_false_pct": main["none_false_pct"],
        "none_recall_pct": main["none_recall_pct"],
        "none_right_label_pct": main["none_right_label_pct"],
        "none_false_pct_other_sets": none_metrics(scaled[others], truth[others])["none_false_pct"],
        "none_false_pct_other_sets_by_threshold": {
            str(value): round(none_metrics(scaled[others], truth[others], value)["none_false_pct"], 2)
            for value in THRESHOLDS
        },
        "none_n_other_sets": int(others.sum()),
        "none_by_threshold": {
            str(value): _at_threshold(scaled[everyday], truth[everyday], value) for value in THRESHOLDS
        },
        "none_n": main["n_none"],
        "none_n_exercise": main["n_exercise"],
        "none_false_pct_all_utkinect": none_metrics(scaled[every], truth[every])["none_false_pct"],
        "none_false_pct_all_sets": none_metrics(scaled, truth)["none_false_pct"],
        "none_false_pct_by_movement": by_movement,
        "ece": expected_calibration_error(probabilities_of(scaled), truth),
        "temperatures": [round(float(value), DIGITS) for value in temperatures],
    }


def _at_threshold(logits: NDArray[np.float64], truths: NDArray[np.int64], min_confidence: float) -> dict[str, float]:
    """Return the rates of false and of recognised exercises at a threshold of the confidence [%]."""
    metrics = none_metrics(logits, truths, min_confidence)
    return {name: round(metrics[name], 2) for name in ("none_false_pct", "none_recall_pct")}


def _temperature_without(
    fold: int, logits: Sequence[NDArray[np.float64]], truths: Sequence[NDArray[np.int64]]
) -> float:
    """Return the temperature that fits the windows of all folds except one; 1 where there is no other fold."""
    rest = [number for number in range(len(logits)) if number != fold]
    if not rest:
        return 1.0
    return fit_temperature(np.concatenate([logits[n] for n in rest]), np.concatenate([truths[n] for n in rest]))


def _times(folds: Sequence[Result]) -> dict[str, Any]:
    """Return the time to the correct label and the computing time per frame; empty where they are not measured."""
    timed = [result for result in folds if "waits_s" in result]
    if not timed:
        return {}
    waits_s = np.concatenate([result["waits_s"] for result in timed])
    return {
        "time_to_label_s": _finite(np.median(waits_s)),
        "time_to_label_s_p90": _finite(np.percentile(waits_s, 90, method="higher")),
        "time_to_label_n": len(waits_s),
        "label_said_pct": 100.0 * float(np.isfinite(waits_s).mean()),
        "frame_ms": float(np.concatenate([result["frame_ms"] for result in timed]).mean()),
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _set(results: Mapping[str, Result], dataset: str) -> dict[str, Any]:
    """Return the leave-one-subject-out accuracy of a set: of windows for MARS, of clips for the others."""
    members = [result for name, result in results.items() if name.startswith(f"{dataset}_") and "truths" in result]
    metrics: dict[str, Any] = {}
    for prefix in ("", "forest_"):
        predictions = _pooled(members, prefix)
        if predictions is None:
            continue
        windows = predictions.windows.argmax(axis=-1) == predictions.truths[predictions.window_places]
        clips = predictions.recordings.argmax(axis=-1) == predictions.truths
        metrics[f"{prefix}{dataset}_acc"] = float(windows.mean() if dataset == "mars" else clips.mean())
        metrics[f"{prefix}{dataset}_window_acc"] = float(windows.mean())
        metrics[f"{prefix}{dataset}_n"] = len(windows) if dataset == "mars" else len(clips)
        if not prefix:
            metrics[f"{dataset}_subjects"] = len(set(predictions.subjects))
    return metrics


def _across(result: Result) -> dict[str, Any]:
    """Return the predictions for squats of sets that the network was not trained on."""
    logits, movements = result["across_logits"], result["across_shown"]
    predicted, squat = predict_labels(logits), LABELS.index(SQUAT)
    among = logits[:, 1:].argmax(axis=-1) + 1
    metrics: dict[str, Any] = {}
    recalls = []
    for dataset, name in SQUATS.items():
        of_set = np.char.startswith(movements, f"{dataset}/")
        others = of_set & ~np.char.endswith(movements, "squat")
        recalls.append(float((predicted[movements == name] == squat).mean()))
        metrics[f"cross_squat_acc_{dataset}"] = recalls[-1]
        metrics[f"cross_squat_five_way_acc_{dataset}"] = float((among[movements == name] == squat).mean())
        metrics[f"cross_others_called_squat_pct_{dataset}"] = 100.0 * float((predicted[others] == squat).mean())
        metrics[f"cross_squat_called_none_pct_{dataset}"] = 100.0 * float(
            (predicted[movements == name] == LABELS.index(NONE)).mean()
        )
        named = {
            str(movement): round(100.0 * float((predicted[movements == movement] == squat).mean()), 1)
            for movement in np.unique(movements[others])
        }
        metrics[f"cross_called_squat_pct_by_movement_{dataset}"] = {key: pct for key, pct in named.items() if pct}
    return {"cross_squat_acc": float(np.mean(recalls)), **metrics}
