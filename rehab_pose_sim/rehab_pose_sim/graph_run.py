"""Run the whole graph on a simulated camera or a recording, and measure its results."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import RehabPoseError
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.graph import Option, choose_nodes, node_spec
from rehab_pose.launching.node_commands import (
    DEFAULT_PARAMETERS,
    node_command,
    node_environment,
    own_environment,
    parameter_words,
)
from rehab_pose.launching.preloading import forked_nodes
from rehab_pose.launching.shared_files import shared_file
from rehab_pose.launching.shared_memory import use_shared_memory
from rehab_pose.launching.supervisor import Processes
from rehab_pose.messages import topics
from rehab_pose.session.words import movement_words
from rehab_pose.units import NS_PER_S
from rehab_pose.view.graph_page import VIEW_NODE
from rehab_pose_sim.graph import SIM_CAMERA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rehab_pose.datatypes import ExerciseClassification, Repetition
    from rehab_pose.view.graph_page import GraphPage
    from rehab_pose_sim.graph_watch import GraphRecord
    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["ExerciseScore", "GraphPlan", "GraphRun", "exercise_scores", "run_metrics"]

START_TIMEOUT_S = 60.0
"""For all nodes to publish diagnostics: loading takes seconds, compiling on an unprepared machine a minute [s]."""
CAMERA_LEAD_S = 4.0
"""From the start of the simulated camera's process to its first frame: loading and discovery [s]."""
DRAIN_S = 1.5
"""Time for the last frames to pass the graph after the camera has stopped [s]."""
SETTLE_S = 1.0
"""Start of a run that is not measured, while DDS discovers the subscriptions [s]."""
MAX_LABEL_S = 3.0
"""Maximum time from the start of a movement to its correct label [s]."""
END_MARGIN_S = 0.5
"""Time after the end of the plan for which the simulated camera still runs [s]."""
RSS_FIELD = "VmRSS:"


@dataclass(frozen=True)
class GraphPlan:
    """Configuration of a run."""

    results: Path | None
    """Bag for the results; None: they are not recorded, so that only the graph is measured."""
    recording: Path | None
    """Bag to play instead of the simulated camera."""
    composed: bool
    """All stages run in one process."""
    seconds_per_exercise: float
    exercise: str = "all"
    page: GraphPage | None = None
    """Page for a browser that is served beside the graph; None = none."""
    opening: bool = False
    """The page is opened where there is a desktop."""
    rendered_ahead: bool = False
    """The simulated camera renders its images before it starts, so that rendering takes no CPU time from the nodes."""
    rate_hz: float = 30.0
    """Frames a second of the simulated camera."""
    clock_rate: float = 1.0
    """Speed of the simulated camera's clock relative to the machine's; stamps and measured times are by that clock."""
    run_s: float = 0.0
    """Time for which the simulated camera repeats the movement, by its clock [s]; 0: it does it once."""
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Values of the nodes' parameters by section and name."""


@dataclass(frozen=True)
class ExerciseScore:
    """Agreement of the published label with one simulated exercise."""

    label: str
    correct: bool
    delay_s: float
    """From the start of the movement to the first correct label [s]; infinity where there was none."""
    most_frequent: str
    """Most frequent label from MAX_LABEL_S after the start on."""


class GraphRun:
    """One run of the graph.

    Attributes:
        repetitions: Number of repetitions that were counted.
    """

    def __init__(self, plan: GraphPlan, log: Callable[[str], None]) -> None:
        """Prepare a run.

        Args:
            plan: Its configuration.
            log: Receives a line of text for each event.
        """
        self.plan = plan
        self._log = log
        self.record: GraphRecord | None = None
        self.rss_mb: dict[str, float] = {}
        self.repetitions = 0
        self._label = ""
        self._first_ns: int | None = None
        self._camera_start_ns: int | None = None

    @property
    def simulation(self) -> SimulationSettings:
        """Settings of the simulated camera."""
        from rehab_pose_sim.settings import SimulationSettings  # noqa: PLC0415  (a recording needs none)

        return SimulationSettings(**self._simulated)  # type: ignore[arg-type]  # the constructor checks each value

    @property
    def _simulated(self) -> dict[str, object]:
        """Values of the simulation's parameters that the plan sets, by name."""
        plan = self.plan
        return {
            "seconds_per_exercise": plan.seconds_per_exercise,
            "exercise": plan.exercise,
            "rate_hz": plan.rate_hz,
            "clock_rate": plan.clock_rate,
        }

    def run(self) -> str | None:
        """Run until the camera ends; return a message about the process that failed, or None."""
        use_shared_memory(os.environ)  # the watcher in this process has to use the nodes' transport
        environment = node_environment()
        from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

        specs = choose_nodes({Option.MESH, Option.RECOGNITION}, composed=self.plan.composed)
        nodes = tuple(spec.name for spec in specs)
        parameters = shared_file(DEFAULT_PARAMETERS)
        processes = Processes(forked_nodes(specs))
        try:
            with GraphWatch(on_classification=self._on_classification, on_repetition=self._on_repetition) as watch:
                self.record = watch.record
                if self.plan.page is not None:
                    self._start_page(self.plan.page, processes, environment, parameters)
                self._log(f"starting {len(nodes)} nodes ...")
                more = tuple(
                    word for section, values in self.plan.settings.items() for word in parameter_words(section, values)
                )
                for spec in specs:
                    command = node_command(spec, parameters, more=more)
                    processes.start(spec.name, command, own_environment(spec, environment), blocked_signals=True)
                if self.plan.results is not None:
                    processes.start("record", self._record_command(self.plan.results), environment)
                if not watch.wait_for(lambda record: record.connected(nodes), START_TIMEOUT_S):
                    return processes.wait(0.1) or f"not all nodes found each other within {START_TIMEOUT_S:.0f} s"
                self._log("all nodes are up; starting the camera")
                failure = self._run_camera(processes, environment, parameters)
                self.rss_mb = {name: _rss_mb(processes.pids[name]) for name in nodes}
                time.sleep(DRAIN_S)
                return failure
        finally:
            processes.stop()

    def _start_page(self, page: GraphPage, processes: Processes, environment: dict[str, str], parameters: Path) -> None:
        """Start the node of the page before all others, so that a person can look while they load."""
        command = node_command(node_spec(VIEW_NODE), parameters, more=page.words)
        processes.start(VIEW_NODE, command, environment | page.environment, respawn=True, blocked_signals=True)
        page.announce(self._log, opening=self.plan.opening)

    def _run_camera(self, processes: Processes, environment: dict[str, str], parameters: Path) -> str | None:
        camera = Processes()
        try:
            if self.plan.recording is not None:
                command = [sys.executable, "-m", "rehab_pose.cli.main", "play", str(self.plan.recording)]
                camera.start("play", command, environment)
                while (ended := camera.wait(0.2)) is None:
                    failure = processes.wait(0.1)
                    if failure is not None:
                        return failure
                return None if "exit code 0" in ended else ended
            from rehab_pose_sim.motions import motion_plan  # noqa: PLC0415  (a recording needs none)

            motion_s = motion_plan(self.simulation)[-1].end_s
            length_s = self.plan.run_s or motion_s
            values = self._simulated
            if self.plan.rendered_ahead:
                values["ahead_s"] = motion_s + END_MARGIN_S + DRAIN_S
            else:  # the first frame is due at a known stamp, after the camera's subscribers have been discovered
                self._camera_start_ns = time.time_ns() + round(CAMERA_LEAD_S * NS_PER_S)
                values["start_ns"] = self._camera_start_ns
            more = parameter_words("simulation", values)
            camera.start(
                SIM_CAMERA.name,
                node_command(SIM_CAMERA, parameters, more=more),
                environment,
                blocked_signals=True,
            )
            deadline_s = time.monotonic() + START_TIMEOUT_S
            while self._first_ns is None and time.monotonic() < deadline_s:
                failure = processes.wait(0.1) or camera.wait(0.1)
                if failure is not None:
                    return failure
            if self._first_ns is None:
                return f"no answer came within {START_TIMEOUT_S:.0f} s of starting the camera"
            return processes.wait(length_s / self.plan.clock_rate + END_MARGIN_S)
        finally:
            camera.stop()

    @staticmethod
    def _record_command(results: Path) -> list[str]:
        names = [topic.name for topic in (*topics.RESULT_TOPICS, topics.VERTICES)]
        return [sys.executable, "-m", "rehab_pose.cli.main", "record", "--quiet", "-o", str(results), *names]

    def _on_classification(self, classification: ExerciseClassification) -> None:
        if self._first_ns is None:
            self._first_ns = classification.stamp_ns
        if classification.label != self._label:
            self._label = classification.label
            self._log(
                f"{self._seconds(classification.stamp_ns):7.1f} s  {exercise_display_name(classification.label)} "
                f"({100.0 * classification.confidence:.0f} % certain)"
            )

    def _on_repetition(self, repetition: Repetition) -> None:
        self.repetitions += 1
        self._log(
            f"{self._seconds(repetition.stamp_ns):7.1f} s  {exercise_display_name(repetition.label)}: repetition "
            f"{repetition.count}, {movement_words(repetition)}"
        )

    def _seconds(self, stamp_ns: int) -> float:
        first_ns = self._camera_start_ns or self._first_ns or stamp_ns
        return (stamp_ns - first_ns) / NS_PER_S

    @property
    def start_ns(self) -> int:
        """Stamp of the camera's first frame.

        Raises:
            RehabPoseError: No frame was received.
        """
        if self.record is None or not self.record.camera_ns:
            msg = "no frame of the camera was received; is another program using the same ROS_DOMAIN_ID?"
            raise RehabPoseError(msg)
        return min(self.record.camera_ns) if self._camera_start_ns is None else self._camera_start_ns

    def latencies_ms(self, arrived_ns: Mapping[int, int]) -> list[float]:
        """Return the times from stamps to receptions, by the camera's clock [ms].

        When a slower clock of the camera began is not known, as its first frames may be lost to discovery: times are
        counted from the quickest camera_info, which takes about 1 ms.

        Args:
            arrived_ns: Time of reception by the machine's clock, by stamp [ns].
        """
        rate, start_ns = self.plan.clock_rate, self.start_ns
        quickest_ns = 0.0
        if rate != 1.0 and self.record is not None:
            sent = self.record.camera_ns.items()
            quickest_ns = min((arrived - start_ns) * rate - (stamp - start_ns) for stamp, arrived in sent)
        return [
            ((arrived - start_ns) * rate - (stamp - start_ns) - quickest_ns) / 1e6
            for stamp, arrived in arrived_ns.items()
        ]

    def middle_frames(self) -> list[tuple[int, int]]:
        """Return index and stamp [ns] of a frame in the middle of a repetition of each simulated exercise.

        It is the nearest one with a label and a body: a busy graph does not answer every frame.
        """
        from rehab_pose_sim.motions import motion_plan  # noqa: PLC0415  (a recording needs none)

        if self.record is None:
            return []
        answered_ns = np.array([stamp for stamp in self.record.exercise_ns if stamp in self.record.body_ns], np.int64)
        frames = []
        for segment in motion_plan(self.simulation):
            cycles = segment.cycle_starts_s
            if len(cycles) > 1 and len(answered_ns):
                cycle = len(cycles) // 2 - 1
                middle_s = cycles[cycle] + 0.4 * (cycles[cycle + 1] - cycles[cycle])
                middle_ns = self.start_ns + round(middle_s * NS_PER_S)
                nearest_ns = int(answered_ns[np.abs(answered_ns - middle_ns).argmin()])
                index = round((nearest_ns - self.start_ns) / NS_PER_S * self.simulation.rate_hz)
                frames.append((index, nearest_ns))
        return frames


def run_metrics(graph: GraphRun) -> dict[str, float]:
    """Return rate [Hz], latency [ms], losses [frames] and memory [MB] of a run.

    Raises:
        RehabPoseError: The graph published no results.
    """
    record = graph.record
    if record is None or len(record.exercise_ns) < 2:
        msg = "the graph published no results; see its log above"
        raise RehabPoseError(msg)
    first_ns = graph.start_ns + round(SETTLE_S * NS_PER_S) if graph.plan.recording is None else graph.start_ns
    stamps = sorted(stamp for stamp in record.exercise_ns if stamp >= first_ns)
    sent = [stamp for stamp in record.camera_ns if first_ns <= stamp <= stamps[-1]]
    fates = record.fates(first_ns, stamps[-1])
    metrics = {
        "graph_fps": round((len(stamps) - 1) / (stamps[-1] - stamps[0]) * NS_PER_S, 2),
        "camera_fps": round((len(sent) - 1) / (max(sent) - min(sent)) * NS_PER_S, 2),
        "frames_sent": float(len(sent)),
        "frames_answered": float(len(stamps)),
        "frames_lost_counted": float(fates.dropped + fates.lost_in_transport),
        "frames_lost_uncounted": float(fates.uncounted),
        "frames_counted_twice": float(fates.counted_twice),
        "rss_mb_total": round(sum(graph.rss_mb.values()), 1),
    }
    if graph.plan.recording is None:
        # Latency is defined for a live camera only: the stamps of a recording lie in the past.
        latency_ms = graph.latencies_ms({stamp: record.exercise_ns[stamp] for stamp in stamps})
        bodies = {stamp: arrived for stamp, arrived in record.body_ns.items() if stamp >= first_ns}
        body_ms = graph.latencies_ms(bodies)
        metrics["graph_latency_ms_p50"] = round(float(np.percentile(latency_ms, 50)), 1)
        metrics["graph_latency_ms_p95"] = round(float(np.percentile(latency_ms, 95)), 1)
        metrics["body_latency_ms_p50"] = round(float(np.percentile(body_ms, 50)), 1)
    return metrics


def exercise_scores(graph: GraphRun) -> list[ExerciseScore]:
    """Compare the labels of a simulated run with the plan of its movements."""
    from rehab_pose_sim.motions import motion_plan  # noqa: PLC0415  (a recording needs none)

    record = graph.record
    classifications = [] if record is None else record.classifications
    scores = []
    for segment in motion_plan(graph.simulation):
        if segment.label == "none":
            continue
        begin_s = float(segment.cycle_starts_s[0])
        during = [
            (time_s, classification.label)
            for classification in classifications
            if begin_s <= (time_s := (classification.stamp_ns - graph.start_ns) / NS_PER_S) <= segment.end_s
        ]
        delay_s = next((time_s - begin_s for time_s, label in during if label == segment.label), float("inf"))
        later = [label for time_s, label in during if time_s - begin_s > MAX_LABEL_S]
        most_frequent = Counter(later).most_common(1)[0][0] if later else "nothing"
        correct = delay_s <= MAX_LABEL_S and most_frequent == segment.label
        scores.append(ExerciseScore(segment.label, correct, delay_s, most_frequent))
    return scores


def _rss_mb(pid: int) -> float:
    """Return the resident memory of a process [MB]; 0 when it has ended."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith(RSS_FIELD))
    return int(line.split()[1]) / 1024.0
