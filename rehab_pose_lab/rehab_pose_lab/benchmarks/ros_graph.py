"""`rehab-pose bench ros`: markers, the whole graph separate and composed, nodes that die, and stopping."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.run import node_environment, parameter_words
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.cli.transport import use_shared_memory
from rehab_pose.errors import RehabPoseError
from rehab_pose_sim.graph_run import GraphPlan, GraphRun, figures_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose_sim.graph_watch import GraphRecord

__all__ = ["ros_figures"]

DOMAINS = (20, 200)
"""From which a private one is taken, so that nothing else on the machine hears it."""
MEASURED_S = 20.0
LOOPED_S = 8.0
"""Length of the exercise that the camera shows again and again while nodes are killed [s]."""
START_TIMEOUT_S = 60.0
RESPAWN_TIMEOUT_S = 40.0
SETTLE_S = 2.0
OUTPUTS = ("exercise", "body")
"""What has to come again after a node died: the label and the body."""
KEPT = ("graph_fps", "graph_latency_ms_p50", "graph_latency_ms_p95", "frames_lost_uncounted", "frames_lost_counted")


def ros_figures(say: Callable[[str], None]) -> dict[str, float]:
    """Measure everything; takes about two minutes.

    Raises:
        RehabPoseError: The graph did not survive.
    """
    low, high = DOMAINS
    os.environ["ROS_DOMAIN_ID"] = str(low + os.getpid() % (high - low))
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    use_shared_memory(os.environ)
    from rehab_pose_lab.benchmarks.markers import marker_figures  # noqa: PLC0415  (reads the transport when ROS is loaded)

    figures = marker_figures()
    separate = _graph(composed=False, say=say)
    figures.update({name: separate[name] for name in KEPT})
    composed = _graph(composed=True, say=say)
    figures["composed_fps"] = composed["graph_fps"]
    figures["composed_latency_ms_p50"] = composed["graph_latency_ms_p50"]
    figures["frames_lost_uncounted"] += composed["frames_lost_uncounted"]
    figures.update(_deaths(say))
    return figures


def _graph(*, composed: bool, say: Callable[[str], None]) -> dict[str, float]:
    plan = GraphPlan(
        results=None,
        recording=None,
        composed=composed,
        seconds_per_exercise=MEASURED_S,
        exercise="squat",
        rendered_ahead=True,
    )
    graph = GraphRun(plan, say=say)
    obituary = graph.run()
    if obituary is not None:
        msg = f"the graph did not survive its benchmark: {obituary}"
        raise RehabPoseError(msg)
    return figures_of(graph)


def _deaths(say: Callable[[str], None]) -> dict[str, float]:
    """Kill each node of a running graph and see how long its answers stay away; then stop all."""
    from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

    command = [sys.executable, "-m", "rehab_pose.cli.main", "run", "--sim", "--ros-args"]
    settings = {"exercise": "squat", "seconds_per_exercise": LOOPED_S, "ahead_s": 2.0 * LOOPED_S}
    command += parameter_words("simulation", settings)
    silent = subprocess.DEVNULL
    running = subprocess.Popen(  # noqa: S603  (our own program, no shell)
        command, env=node_environment(), stdout=silent, stderr=silent, start_new_session=True
    )
    nodes = tuple(spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=False))
    away_s: dict[str, float] = {}
    try:
        with GraphWatch() as watch:
            flowing = watch.wait_for(lambda record: record.connected(nodes) and bool(record.body_ns), START_TIMEOUT_S)
            if not flowing:
                msg = "the graph did not start within a minute; `rehab-pose run --sim` shows why"
                raise RehabPoseError(msg)
            for name in nodes:
                time.sleep(SETTLE_S)
                away_s[name] = _kill(running.pid, name, watch.wait_for, watch.record)
                say(f"{name} was killed and back after {away_s[name]:.2f} s")
    finally:
        pids = node_pids(running.pid)
        start_s = time.monotonic()
        running.send_signal(signal.SIGINT)
        code = running.wait(START_TIMEOUT_S)
        shutdown_s = time.monotonic() - start_s
    left = [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()]
    if code or left:
        msg = f"expected exit code 0 and no process left after Ctrl-C, got {code} and {', '.join(left) or 'none'}"
        raise RehabPoseError(msg)
    return {"respawn_s_max": round(max(away_s.values()), 2), "shutdown_s": round(shutdown_s, 2)}


def _kill(
    launcher_pid: int, name: str, wait_for: Callable[[Callable[[GraphRecord], bool], float], bool], record: GraphRecord
) -> float:
    """Kill a node; return how long it takes until it runs again and label and body of a later frame have come [s]."""
    before = node_pids(launcher_pid)[name]
    killed_ns = time.time_ns()
    os.kill(before, signal.SIGKILL)
    record.diagnostics.clear()

    def back(seen: GraphRecord) -> bool:
        answers = (seen.exercise_ns, seen.body_ns)
        flowing = all(max(stamps, default=0) > killed_ns for stamps in answers)
        alive = node_pids(launcher_pid).get(name, before) != before
        return alive and flowing and any(node.strip("/") == name for node in seen.diagnostics)

    if not wait_for(back, RESPAWN_TIMEOUT_S):
        msg = f"{name} was killed and was not back within {RESPAWN_TIMEOUT_S:.0f} s"
        raise RehabPoseError(msg)
    return (time.time_ns() - killed_ns) / 1e9


def node_pids(launcher_pid: int) -> dict[str, int]:
    """Return the node processes of a launcher, by node."""
    found = {}
    for child in Path(f"/proc/{launcher_pid}/task/{launcher_pid}/children").read_text(encoding="ascii").split():
        try:
            command = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8")
        except OSError:  # it ended in between
            continue
        if "rehab_pose.nodes." in command:
            found[command.split("rehab_pose.nodes.")[1].split("\0")[0]] = int(child)
    return found
