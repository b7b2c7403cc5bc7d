"""All trainings' results to one flat table: figures, intervals, baselines, and what they were measured with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.catalogue import EXERCISES, LABELS, NONE, SQUAT
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.exercise_scores import Judgements, probabilities_of
from rehab_pose_lab.training.metrics import expected_calibration_error, fit_temperature
from rehab_pose_lab.training.recognition_calibration import Calibration, calibrate
from rehab_pose_lab.training.recognition_jobs import FOLDS, SETS
from rehab_pose_lab.training.recognition_scores import interval_of, none_figures, said_of, score_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["calibration_of_folds", "read_results", "summary"]

Result = dict[str, "NDArray[Any]"]
EVERYDAY = frozenset({"utkinect/walk", "utkinect/sitDown", "utkinect/standUp", "utkinect/waveHands"})
"""Standing, sitting, walking and waving; together with all that is still."""
SQUATS = {"ui_prmd": "ui_prmd/correct/deep_squat", "mars": "mars//squat"}
THRESHOLDS = (0.45, 0.5, 0.51, 0.55, 0.6)
"""Of the live recogniser's confidence; its default is among them."""
ROUNDED = 4


def read_results(output: Path) -> dict[str, Result]:
    """Return the result of every finished job in a folder."""
    results: dict[str, Result] = {}
    for path in sorted(output.glob("*/result.npz")):
        found: Result = {}
        for part in (path, path.parent / "live.npz"):
            if part.is_file():
                with np.load(part) as arrays:
                    found |= {name: arrays[name] for name in arrays.files}
        results[path.parent.name] = found
    return results


def _pooled(results: Sequence[Result], prefix: str = "") -> Judgements | None:
    """Return the judgements of several jobs as one; None where a job has none."""
    if not results or any(f"{prefix}truths" not in result for result in results):
        return None
    shifts = np.cumsum([0, *(len(result[f"{prefix}names"]) for result in results[:-1])])

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([result[f"{prefix}{name}"] for result in results])

    places = [result[f"{prefix}window_places"] + shift for result, shift in zip(results, shifts, strict=True)]
    return Judgements(
        names=joined("names").tolist(),
        subjects=joined("subjects").tolist(),
        truths=joined("truths"),
        recordings=joined("recordings"),
        window_places=np.concatenate(places),
        windows=joined("windows"),
        streamed_right=joined("streamed_right"),
        streamed=joined("streamed"),
        skipped=joined("skipped").tolist(),
    )


def calibration_of_folds(results: Mapping[str, Result]) -> Calibration | None:
    """Return what calibrates a network trained on everybody: fitted on what each fold's network had never seen."""
    folds = _folds(results)
    found = _pooled(folds)
    if found is None:
        return None
    if any("live_logits" not in result for result in folds):
        return None
    logits = np.concatenate([result["live_logits"] for result in folds])
    return calibrate(logits, np.concatenate([result["live_truths"] for result in folds]), found)


def _folds(results: Mapping[str, Result]) -> list[Result]:
    return [results[name] for name in (f"kimore_fold{fold}" for fold in range(FOLDS)) if name in results]


def summary(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the figures of all finished jobs; a job that has not run leaves its figures out."""
    figures: dict[str, Any] = {}
    folds = _folds(results)
    figures["kimore_folds_done"] = len(folds)
    if folds:
        figures |= _kimore(folds, "") | _kimore(folds, "forest_") | _live(folds) | _times(folds)
    if "kimore_controls" in results:
        for prefix in ("", "forest_"):
            found = _pooled([results["kimore_controls"]], prefix)
            if found is not None:
                score = score_of(found, EXERCISES)
                figures[f"{prefix}kimore_controls_to_patients_acc"] = score["recording_acc"]
                figures[f"{prefix}kimore_controls_to_patients_window_acc"] = score["window_acc"]
                if not prefix:
                    figures["kimore_controls_to_patients_wrong"] = score["wrong"]
    for dataset in SETS:
        figures |= _set(results, dataset)
    if "cross_squat" in results:
        figures |= _across(results["cross_squat"])
    return {name: round(value, ROUNDED) if isinstance(value, float) else value for name, value in figures.items()}


def _kimore(folds: Sequence[Result], prefix: str) -> dict[str, Any]:
    """Return accuracies over all folds' recordings, with 95 % intervals over subjects."""
    found = _pooled(folds, prefix)
    if found is None:
        return {}
    right = found.recordings.argmax(axis=-1) == found.truths
    clean = ~np.isin(found.names, sorted(SUSPECT_CLIPS))
    windows = found.windows.argmax(axis=-1) == found.truths[found.window_places]
    score = score_of(found, EXERCISES)
    figures: dict[str, Any] = {
        "kimore_recording_acc": float(right.mean()),
        "kimore_recording_acc_clean": float(right[clean].mean()),
        "kimore_window_acc": float(windows.mean()),
    }
    if found.streamed.sum():
        figures["kimore_streaming_acc"] = float(found.streamed_right.sum()) / int(found.streamed.sum())
    if not prefix:
        subjects = np.array(found.subjects)
        figures |= {
            "kimore_recording_acc_95": list(interval_of(right, found.subjects, 0)),
            "kimore_window_acc_95": list(interval_of(windows, subjects[found.window_places].tolist(), 0)),
            "kimore_n_recordings": len(right),
            "kimore_n_windows": len(windows),
            "kimore_wrong": score["wrong"],
            "kimore_confusion": score["confusion"],
            "kimore_window_f1": score["f1"],
            "kimore_window_roc_auc": score["roc_auc"],
        }
    return {f"{prefix}{name}": value for name, value in figures.items()}


def _live(folds: Sequence[Result]) -> dict[str, Any]:
    """Return figures of the six-way answer; each fold is calibrated with what the other folds say."""
    folds = [result for result in folds if "live_logits" in result]
    if not folds:
        return {}
    logits = [result["live_logits"] for result in folds]
    truths = [result["live_truths"] for result in folds]
    temperatures = [_temperature_without(fold, logits, truths) for fold in range(len(folds))]
    scaled = np.concatenate([part / value for part, value in zip(logits, temperatures, strict=True)])
    truth = np.concatenate(truths)
    shown = np.concatenate([result["live_shown"] for result in folds])
    everyday = np.isin(shown, sorted(EVERYDAY)) | np.char.endswith(shown, "/still") | (truth > 0)
    every = np.char.startswith(shown, "utkinect/") | np.char.endswith(shown, "/still") | (truth > 0)
    said = said_of(scaled)
    by_movement = {
        str(name): round(100.0 * float((said[shown == name] > 0).mean()), 2)
        for name in np.unique(shown[truth == 0])
        if (said[shown == name] > 0).any()
    }
    bar = none_figures(scaled[everyday], truth[everyday])
    return {
        "none_false_pct": bar["none_false_pct"],
        "none_recall_pct": bar["none_recall_pct"],
        "none_right_label_pct": bar["none_right_label_pct"],
        "none_by_threshold": {str(value): _point(scaled[everyday], truth[everyday], value) for value in THRESHOLDS},
        "none_n": bar["n_none"],
        "none_n_exercise": bar["n_exercise"],
        "none_false_pct_all_utkinect": none_figures(scaled[every], truth[every])["none_false_pct"],
        "none_false_pct_all_sets": none_figures(scaled, truth)["none_false_pct"],
        "none_false_pct_by_movement": by_movement,
        "ece": expected_calibration_error(probabilities_of(scaled), truth),
        "temperatures": [round(float(value), ROUNDED) for value in temperatures],
    }


def _point(logits: NDArray[np.float64], truths: NDArray[np.int64], confident: float) -> dict[str, float]:
    """Return false exercises and recall at another threshold of the live recogniser."""
    found = none_figures(logits, truths, confident)
    return {name: round(found[name], 2) for name in ("none_false_pct", "none_recall_pct")}


def _temperature_without(
    fold: int, logits: Sequence[NDArray[np.float64]], truths: Sequence[NDArray[np.int64]]
) -> float:
    """Return the temperature that fits the windows of all folds but one; 1 where there is no other."""
    rest = [number for number in range(len(logits)) if number != fold]
    if not rest:
        return 1.0
    return fit_temperature(np.concatenate([logits[n] for n in rest]), np.concatenate([truths[n] for n in rest]))


def _times(folds: Sequence[Result]) -> dict[str, Any]:
    """Return how soon the live recogniser says the right label, and how long a frame takes; empty where not run."""
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
    """Return a set's accuracy over all its subjects, each left out once; MARS counts windows, the others clips."""
    own = [result for name, result in results.items() if name.startswith(f"{dataset}_") and "truths" in result]
    figures: dict[str, Any] = {}
    for prefix in ("", "forest_"):
        found = _pooled(own, prefix)
        if found is None:
            continue
        windows = found.windows.argmax(axis=-1) == found.truths[found.window_places]
        clips = found.recordings.argmax(axis=-1) == found.truths
        figures[f"{prefix}{dataset}_acc"] = float(windows.mean() if dataset == "mars" else clips.mean())
        figures[f"{prefix}{dataset}_window_acc"] = float(windows.mean())
        figures[f"{prefix}{dataset}_n"] = len(windows) if dataset == "mars" else len(clips)
        if not prefix:
            figures[f"{dataset}_subjects"] = len(set(found.subjects))
    return figures


def _across(result: Result) -> dict[str, Any]:
    """Return how squats of other sets are named by a network that has never seen those sets."""
    logits, shown = result["across_logits"], result["across_shown"]
    said, squat = said_of(logits), LABELS.index(SQUAT)
    among = logits[:, 1:].argmax(axis=-1) + 1
    figures: dict[str, Any] = {}
    recalls = []
    for dataset, name in SQUATS.items():
        own = np.char.startswith(shown, f"{dataset}/")
        others = own & ~np.char.endswith(shown, "squat")
        recalls.append(float((said[shown == name] == squat).mean()))
        figures[f"cross_squat_acc_{dataset}"] = recalls[-1]
        figures[f"cross_squat_five_way_acc_{dataset}"] = float((among[shown == name] == squat).mean())
        figures[f"cross_others_called_squat_pct_{dataset}"] = 100.0 * float((said[others] == squat).mean())
        figures[f"cross_squat_called_none_pct_{dataset}"] = 100.0 * float(
            (said[shown == name] == LABELS.index(NONE)).mean()
        )
        named = {
            str(movement): round(100.0 * float((said[shown == movement] == squat).mean()), 1)
            for movement in np.unique(shown[others])
        }
        figures[f"cross_called_squat_pct_by_movement_{dataset}"] = {key: pct for key, pct in named.items() if pct}
    return {"cross_squat_acc": float(np.mean(recalls)), **figures}


def table_of(figures: Mapping[str, Any], write: Callable[[str], None]) -> None:
    """Write each figure with the one of extra trees beside it."""
    write(f"{'figure':46s}{'network':>12s}{'extra trees':>12s}")
    for name, value in figures.items():
        if isinstance(value, (int, float)) and not name.startswith("forest_"):
            other = figures.get(f"forest_{name}")
            write(f"{name:46s}{value:12.4f}" + (f"{other:12.4f}" if other is not None else ""))
