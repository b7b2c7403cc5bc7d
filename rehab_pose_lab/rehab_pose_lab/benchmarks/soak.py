"""A long run of the composed graph with a session that is recorded, and the sockets of a running graph.

Both are parts of `rehab-pose-lab bench faults`.
"""

from __future__ import annotations

import time
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.errors import RehabPoseError
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.units import NS_PER_S
from rehab_pose_lab.benchmarks.process_state import bound_addresses, process_size, shared_memory
from rehab_pose_lab.benchmarks.running_graph import RunningGraph, call_service, running_graph, use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehab_pose_sim.graph_watch import GraphRecord

__all__ = ["Sample", "growth", "slope_pct_per_h", "soak_metrics", "socket_metrics"]

CAMERA = "sim_camera"
LOOPED_S = 8.0
"""Length of the exercise that the camera repeats [s]; it is rendered before the start."""
START_TIMEOUT_S = 120.0
SAMPLE_S = 5.0
"""Period of the samples of memory, descriptors and threads [s]."""
PROGRESS_S = 60.0
"""Period of the lines about the progress [s]."""
WARM_UP_S, WARM_UP_DIVISOR = 300.0, 4.0
"""Start of the run that is not evaluated: this time [s], at most this fraction of the run."""
SETTLE_S = 2.0
"""Start and end of the frames that are accounted: discovery, and frames that are still on their way [s]."""
REPORT_S = 3.0
"""Time in which all nodes report the last losses [s]; they report every second."""
DISCOVERY_S = 2.0
"""Time until discovery has opened all of its sockets [s]."""
S_PER_MIN, S_PER_H = 60.0, 3600.0


class Sample(NamedTuple):
    """State of all processes of the graph, without the camera, at a time."""

    time_s: float
    rss_mb: float
    private_mb: float
    descriptors: int
    threads: int
    shared_files: int
    shared_mb: float


def soak_metrics(minutes: float, log: Callable[[str], None], *, slowed: bool = False) -> dict[str, float]:
    """Return the growth of a composed graph with a recorded session, and the frames of unknown fate.

    Args:
        minutes: Length of the run [min].
        slowed: The camera's clock is slower by `machine_factor`, as in `slowed_camera`: the graph has as much time for
            each frame as on the reference machine. Rates are by that clock.
        log: Called with a line about each minute.

    Raises:
        RehabPoseError: The graph does not start, or a process ends.
    """
    use_private_domain()
    from rehab_pose_lab.benchmarks.perception_speed import machine_metrics, reference_clock_rate  # noqa: PLC0415
    from rehab_pose_sim.graph_watch import GraphWatch  # noqa: PLC0415  (reads the transport when ROS is loaded)

    nodes = [spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=True)]
    clock_rate = reference_clock_rate(machine_metrics()["machine_factor"]) if slowed else 1.0
    with TemporaryDirectory(prefix="rehab_pose_soak_") as name:
        folder = Path(name)
        simulation = {
            "exercise": "squat",
            "seconds_per_exercise": LOOPED_S,
            "ahead_s": 2.0 * LOOPED_S,
            "clock_rate": clock_rate,
        }
        settings = {"session": {"folder": folder / "sessions"}}
        with (
            running_graph(["--nodes", CAMERA], {"simulation": simulation}, folder / "camera.log"),
            running_graph(["--composed"], settings, folder / "graph.log") as graph,
            GraphWatch() as watch,
        ):
            if not watch.wait_for(lambda record: record.connected(nodes) and bool(record.body_ns), START_TIMEOUT_S):
                msg = f"the graph did not start within {START_TIMEOUT_S:g} s; `rehab-pose run --sim` shows why"
                raise RehabPoseError(msg)
            started = call_service("StartSession", "start_session", session_id="soak", recording=1)
            if not started.success:
                msg = f"the session did not start: {started.message}"
                raise RehabPoseError(msg)
            first_ns = max(watch.record.camera_ns) + round(SETTLE_S * NS_PER_S)
            samples = _sampled(graph, minutes * S_PER_MIN, watch.record, log)
            last_ns = max(watch.record.camera_ns) - round(SETTLE_S * NS_PER_S)
            time.sleep(REPORT_S)
            stopped = call_service("StopSession", "stop_session")
            if not stopped.success:
                msg = f"the session did not stop: {stopped.message}"
                raise RehabPoseError(msg)
        account = _account(watch.record, first_ns, last_ns)  # now that no thread adds to the record
        recorded = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    metrics = {**growth(samples), **account, "soak_recorded_mb": recorded}
    return {"soak_minutes": minutes, "soak_clock_rate": clock_rate, **metrics}


def _sampled(graph: RunningGraph, length_s: float, record: GraphRecord, log: Callable[[str], None]) -> list[Sample]:
    pids = graph.pids
    samples: list[Sample] = []
    start_s = time.monotonic()
    next_line_s = PROGRESS_S
    while (now_s := time.monotonic() - start_s) < length_s:
        if graph.pids != pids:
            msg = f"a node ended during the run: {pids} became {graph.pids}; output:\n{graph.last_lines}"
            raise RehabPoseError(msg)
        samples.append(_sample(now_s, [graph.process.pid, *pids.values()]))
        if now_s >= next_line_s:
            newest = samples[-1]
            log(
                f"{now_s / S_PER_MIN:.0f} min, {(length_s - now_s) / S_PER_MIN:.0f} min left: {newest.rss_mb:.0f} MB, "
                f"{newest.descriptors} descriptors, {newest.threads} threads, {len(record.exercise_ns)} labels"
            )
            next_line_s += PROGRESS_S
        time.sleep(min(SAMPLE_S, max(length_s - now_s, 0.0)))
    return samples


def _sample(now_s: float, pids: Sequence[int]) -> Sample:
    try:
        sizes = [process_size(pid) for pid in pids]
    except OSError as error:
        msg = f"a process of the graph ended during the run: {error}"
        raise RehabPoseError(msg) from error
    return Sample(
        now_s,
        sum(size.rss_mb for size in sizes),
        sum(size.private_mb for size in sizes),
        sum(size.descriptors for size in sizes),
        sum(size.threads for size in sizes),
        *shared_memory(pids),
    )


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Return the growth after the warm-up: of the memory by hour, of the others from the first to the last quarter.

    Args:
        samples: State of the graph in the order of time; fewer than four give NaN.
    """
    length_s = samples[-1].time_s if samples else 0.0
    warm = [sample for sample in samples if sample.time_s >= min(WARM_UP_S, length_s / WARM_UP_DIVISOR)]
    nothing = float("nan")
    if len(warm) < 4:
        names = ("rss_pct_per_h", "private_pct_per_h", "descriptors", "threads", "shared_files", "shared_mb")
        return {f"soak_{name}": nothing for name in names}
    quarter = max(1, len(warm) // 4)
    first, last = np.array(warm[:quarter]), np.array(warm[-quarter:])
    change = np.median(last, axis=0) - np.median(first, axis=0)
    times_s = [sample.time_s for sample in warm]
    return {
        "soak_rss_pct_per_h": slope_pct_per_h(times_s, [sample.rss_mb for sample in warm]),
        "soak_private_pct_per_h": slope_pct_per_h(times_s, [sample.private_mb for sample in warm]),
        "soak_rss_mb": float(np.median(last[:, 1])),
        "soak_descriptors": float(change[3]),
        "soak_threads": float(change[4]),
        "soak_shared_files": float(change[5]),
        "soak_shared_mb": float(change[6]),
    }


def slope_pct_per_h(times_s: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of a line through values, as a percentage of their mean by hour.

    The line is Theil and Sen's (median of the slopes of all pairs), which single values do not change.

    Args:
        times_s: Times, increasing [s].
        values: A value for each time, in any unit.
    """
    time_s, value = np.asarray(times_s, float), np.asarray(values, float)
    first, second = np.triu_indices(len(value), 1)
    slopes = (value[second] - value[first]) / (time_s[second] - time_s[first])
    return float(100.0 * S_PER_H * np.median(slopes) / value.mean())


def _account(record: GraphRecord, first_ns: int, last_ns: int) -> dict[str, float]:
    """Return the fates of the camera's frames between two stamps."""
    fates = record.fates(first_ns, last_ns)
    sent = [stamp for stamp in record.camera_ns if first_ns <= stamp <= last_ns]
    answered = [stamp for stamp in record.exercise_ns if first_ns <= stamp <= last_ns]
    length_s = (last_ns - first_ns) / NS_PER_S
    return {
        "soak_camera_fps": len(sent) / length_s,
        "soak_fps": len(answered) / length_s,
        "soak_frames": float(len(sent)),
        "soak_dropped": float(fates.dropped),
        "soak_lost_in_transport": float(fates.lost_in_transport),
        "soak_unaccounted": float(fates.uncounted + fates.counted_twice),
        "soak_counted_twice": float(fates.counted_twice),
        "soak_warnings": float(len(record.warnings)),
    }


def socket_metrics(log: Callable[[str], None], nodes: Sequence[str] = ()) -> dict[str, float]:
    """Return the number of addresses beyond this machine to which processes of a running graph bind sockets.

    Args:
        log: Called with a line for each of them.
        nodes: Nodes to start; none = all of the graph, with the simulated camera.

    Raises:
        RehabPoseError: The graph does not start.
    """
    use_private_domain()
    arguments = ["--nodes", ",".join(nodes)] if nodes else ["--separate", "--sim", "--markers"]
    with TemporaryDirectory(prefix="rehab_pose_sockets_") as name:
        settings = {"session": {"folder": Path(name) / "sessions"}}
        with running_graph(arguments, settings, Path(name) / "graph.log") as graph:
            end_s = time.monotonic() + START_TIMEOUT_S
            while not _all_bound(graph):
                if time.monotonic() > end_s or graph.process.poll() is not None:
                    msg = "the graph did not open its sockets; `rehab-pose run --sim` shows why"
                    raise RehabPoseError(msg)
                time.sleep(0.1)
            time.sleep(DISCOVERY_S)
            found = {node: bound_addresses(pid) for node, pid in {**graph.pids, "run": graph.process.pid}.items()}
    opened = [(node, address) for node, addresses in found.items() for address in sorted(addresses) if _beyond(address)]
    for node, address in opened:
        log(f"{node} is bound to {address}")
    bound = sum(len(addresses) for addresses in found.values())
    return {"open_sockets": float(len(opened)), "bound_addresses": float(bound), "socket_processes": float(len(found))}


def _all_bound(graph: RunningGraph) -> bool:
    """Return whether the launcher has started nodes and each has bound a socket."""
    pids = graph.pids
    return bool(pids) and all(bound_addresses(pid) for pid in pids.values())


def _beyond(address: str) -> bool:
    return not ip_address(address).is_loopback
