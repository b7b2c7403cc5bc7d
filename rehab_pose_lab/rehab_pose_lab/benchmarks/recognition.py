"""`rehab-pose bench recognition`: the recogniser's figures on people it has never seen, and how they come about."""

from __future__ import annotations

import json
import logging
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_arguments", "run"]

RESULTS = Path("docs/results/recognition.json")
OUTPUT = Path("output/recognition")
"""Outside git: checkpoints and results of every training, so that a stopped run goes on where it was."""
SEED = 7
MOVEMENTS, FUSION = "movements.json", "fusion/fusion.json"
"""In the output folder: figures of repetitions and quality, and those that `rehab-pose evaluate fusion` wrote with
`-o OUTPUT/fusion`; they are shown with the recogniser's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only this bench understands."""
    group = parser.add_argument_group("recognition")
    group.add_argument("--run", dest="train", action="store_true", help="train all folds anew or go on (an hour)")
    group.add_argument("--output", type=Path, default=OUTPUT, help="folder of the trainings (default: %(default)s)")
    group.add_argument("--results", type=Path, default=RESULTS, help="file of the figures (default: %(default)s)")
    group.add_argument("--jobs", default="", metavar="PREFIX", help="only the trainings that begin so")


def run(arguments: argparse.Namespace) -> int:
    """Train if asked to, and print the figures.

    Raises:
        RecordingError: There is no file of figures.
    """
    if arguments.train:
        _train(arguments.output, arguments.results, arguments.jobs)
    if not arguments.results.is_file():
        msg = (
            f"expected figures in {arguments.results}, there are none; make them with `scripts/bench recognition --run`"
        )
        raise RecordingError(msg)
    facts = json.loads(arguments.results.read_text(encoding="utf-8"))
    if arguments.json:
        print(json.dumps(facts, indent=1))
        return 0
    from rehab_pose_lab.training.recognition_summary import table_of  # noqa: PLC0415  (loaded only when it runs)

    table_of(facts, print)
    return 0


def _train(output: Path, results: Path, prefix: str) -> None:
    """Run every training that has not been done, and write the file of figures after each."""
    # Loaded only when this command runs.
    from tqdm import tqdm  # noqa: PLC0415

    from rehab_pose_lab.benchmarks.perception_scenes import data_folder  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_clips import load_clips  # noqa: PLC0415
    from rehab_pose_lab.training.exercise_fit import TrainingPlan  # noqa: PLC0415
    from rehab_pose_lab.training.recognition_jobs import (  # noqa: PLC0415
        Workshop,
        export_everybody,
        jobs_of,
        time_job,
        train_job,
    )
    from rehab_pose_lab.training.recognition_summary import calibration_of_folds, read_results  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    clips = load_clips(data_folder())
    workshop = Workshop(output, TrainingPlan(seed=SEED))
    jobs = [job for job in jobs_of(clips, SEED) if job.name.startswith(prefix)]
    counts = {name: sum(clip.dataset == name for clip in clips) for name in sorted({clip.dataset for clip in clips})}
    with tqdm(jobs, desc="trainings") as bar:
        for job in bar:
            bar.set_postfix_str(job.name)
            train_job(job, workshop)
            _write(output, results, counts)
    for job in jobs:
        time_job(job, workshop)
    if not prefix and not (output / MOVEMENTS).is_file():
        from rehab_pose_lab.training.quality_figures import movement_figures  # noqa: PLC0415

        figures = movement_figures(data_folder(), seed=SEED)
        (output / MOVEMENTS).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _write(output, results, counts)
    calibration = calibration_of_folds(read_results(output))
    if calibration is not None:
        export_everybody(workshop, calibration)


def _write(output: Path, results: Path, counts: dict[str, int]) -> None:
    """Write the figures of all trainings that are done, with what they were made of."""
    from rehab_pose_lab.training.recognition_summary import read_results, summary  # noqa: PLC0415  (only when it runs)

    found = read_results(output)
    facts: dict[str, Any] = summary(found)
    if (output / MOVEMENTS).is_file():
        facts |= json.loads((output / MOVEMENTS).read_text(encoding="utf-8"))
    if (output / FUSION).is_file():
        variants = json.loads((output / FUSION).read_text(encoding="utf-8"))["variants"]
        facts["fusion_window_acc"] = {name: round(entry["window_acc"], 4) for name, entry in variants.items()}
    facts |= {
        "seed": SEED,
        "commit": _commit(),
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
        "recordings": counts,
        "trainings": sorted(found),
    }
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def _commit() -> str:
    """Return the commit that is checked out, with a plus where files differ from it; empty outside a checkout."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],  # noqa: S607  (found by PATH)
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
