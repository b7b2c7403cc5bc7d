"""Files of an evaluation of the recogniser: JSON, CSV tables, confusion matrix and ROC curves as pictures."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose_lab.training.metrics import roc_curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.exercise_predictions import Predictions

__all__ = ["confusion_figure", "roc_figure", "write_recognition"]

CELL_PX, MARGIN_PX, TOP_PX = 64, 250, 60
"""Sizes of the picture of the confusion matrix [px]."""
PLOT_PX, EDGE_PX, LEGEND_PX = 480, 60, 300
"""Sizes of the picture of the ROC curves [px]."""
FONT, TEXT = cv2.FONT_HERSHEY_SIMPLEX, 0.45
INK, PAPER, GRID = (40, 40, 40), (255, 255, 255), (215, 215, 215)
FULL_CELL = np.array([140.0, 70.0, 20.0])
"""Colour of a cell with all recordings of its row: blue, green, red."""
COLOURS = (
    *((180, 119, 31), (14, 127, 255), (44, 160, 44), (40, 39, 214), (189, 103, 148)),
    *((75, 86, 140), (194, 119, 227), (127, 127, 127), (34, 189, 188), (207, 190, 23)),
)


def write_recognition(folder: Path, metrics: dict[str, Any], predictions: Predictions, labels: Sequence[str]) -> None:
    """Write recognition.json, classes.csv, confusion.csv, recordings.csv, confusion.png and roc.png.

    Args:
        folder: Output folder; created where it does not exist.
        metrics: Metrics, as printed by `evaluate recognition --json`.
        predictions: Predictions for all recordings and windows.
        labels: The exercises.

    Raises:
        RecordingError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "recognition.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        msg = f"--output: expected a writable folder, {folder}: {error}"
        raise RecordingError(msg) from error
    columns = ("precision", "recall", "f1", "roc_auc")
    _table(folder / "classes.csv", ("label", *columns), zip(labels, *(metrics[name] for name in columns), strict=True))
    matrix = metrics["confusion"]
    _table(
        folder / "confusion.csv",
        ("truth", *labels),
        ((label, *row) for label, row in zip(labels, matrix, strict=True)),
    )
    _table(
        folder / "recordings.csv",
        ("recording", "subject", "truth", "answer", *labels),
        (
            (name, subject, labels[truth], labels[int(row.argmax())], *(f"{value:.4f}" for value in row))
            for name, subject, truth, row in zip(
                predictions.names, predictions.subjects, predictions.truths, predictions.recordings, strict=True
            )
        ),
    )
    for name, picture in (
        ("confusion.png", confusion_figure(np.array(matrix), labels)),
        ("roc.png", roc_figure(predictions.windows, predictions.truths[predictions.window_places], labels)),
    ):
        if not cv2.imwrite(str(folder / name), picture):
            msg = f"--output: could not write {folder / name}; check the folder"
            raise RecordingError(msg)


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(["" if value is None else value for value in row] for row in rows)


def _write_text(picture: NDArray[np.uint8], text: str, x_px: int, y_px: int, colour: Sequence[int] = INK) -> None:
    cv2.putText(picture, text, (x_px, y_px), FONT, TEXT, colour, 1, cv2.LINE_AA)


def confusion_figure(matrix: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.uint8]:
    """Return a picture of a confusion matrix (C, C): rows true, columns predicted, shaded by fraction of the row."""
    count = len(labels)
    picture = np.full((TOP_PX + count * CELL_PX + 20, MARGIN_PX + count * CELL_PX + 20, 3), PAPER, dtype=np.uint8)
    fractions = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    _write_text(picture, "recordings: true (rows), predicted (columns)", 10, 20)
    for row in range(count):
        top = TOP_PX + row * CELL_PX
        _write_text(picture, f"{row + 1} {labels[row]}", 10, top + CELL_PX // 2 + 5)
        _write_text(picture, str(row + 1), MARGIN_PX + row * CELL_PX + CELL_PX // 2 - 5, TOP_PX - 8)
        for column in range(count):
            left = MARGIN_PX + column * CELL_PX
            shade = 255.0 + float(fractions[row, column]) * (FULL_CELL - 255.0)
            picture[top : top + CELL_PX, left : left + CELL_PX] = shade.astype(np.uint8)
            cv2.rectangle(picture, (left, top), (left + CELL_PX, top + CELL_PX), GRID, 1)
            ink = PAPER if fractions[row, column] > 0.5 else INK
            _write_text(picture, str(int(matrix[row, column])), left + CELL_PX // 2 - 12, top + CELL_PX // 2 + 5, ink)
    return picture


def roc_figure(
    probabilities: NDArray[np.float64], truths: NDArray[np.int64], labels: Sequence[str]
) -> NDArray[np.uint8]:
    """Return a picture of the ROC curve of each class against the others.

    Args:
        probabilities: (N, C) predictions of windows.
        truths: (N) indices of the true labels.
        labels: (C) names of the classes.
    """
    size = PLOT_PX + 2 * EDGE_PX
    picture = np.full((size, size + LEGEND_PX, 3), PAPER, dtype=np.uint8)
    corner, far = EDGE_PX, EDGE_PX + PLOT_PX
    for step in range(6):
        place = EDGE_PX + step * PLOT_PX // 5
        cv2.line(picture, (place, corner), (place, far), GRID, 1)
        cv2.line(picture, (corner, place), (far, place), GRID, 1)
        _write_text(picture, f"{step / 5:.1f}", place - 10, far + 18)
        _write_text(picture, f"{1 - step / 5:.1f}", corner - 35, place + 5)
    _write_text(picture, "false positive rate (windows)", corner + PLOT_PX // 3, far + 40)
    _write_text(picture, "true positive rate", corner - 40, corner - 20)
    for number, label in enumerate(labels):
        colour = COLOURS[number % len(COLOURS)]
        false, true = roc_curve(probabilities[:, number], truths == number)
        points = np.stack([corner + false * PLOT_PX, far - true * PLOT_PX], axis=-1).astype(np.int32)
        cv2.polylines(picture, [points.reshape(-1, 1, 2)], isClosed=False, color=colour, thickness=2)
        _write_text(picture, label, far + 30, corner + 20 + 22 * number, colour)
    return picture
