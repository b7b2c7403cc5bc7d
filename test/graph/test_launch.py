"""The launch files with the real `ros2 launch`, where launch, launch_ros and ros2cli are installed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rehab_pose.graph import NODES, Option, choose_nodes, plugin_nodes
from rehab_pose_sim.graph_watch import GraphWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.graph
for module in ("launch", "launch_ros", "ros2launch", "ros2param", "ros2topic", "rosidl_runtime_py"):
    pytest.importorskip(module, reason=f"{module} is not installed")

REPOSITORY = Path(__file__).resolve().parents[2]
ROS2 = "import sys; from ros2cli.cli import main; sys.exit(main())"
KILLED_NODES = ("rgbd_sync", "silhouette", "joints", "session")
STARTED_NODES = [spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=False)]
START_S = 90.0
BACK_S = 30.0
"""Longest time until a killed node publishes again [s]; `rehab-pose-lab bench ros` measures the actual time."""
STOP_S = 10.0
DIRECTLY = ("--no-daemon", "--spin-time", "5", "--timeout", "20")
"""Options that make ros2 find nodes without its daemon, which would outlive the test."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a prefix in which the packages are installed."""
    prefix = tmp_path_factory.mktemp("prefix")
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    for package, root in (("rehab_pose", REPOSITORY), ("rehab_pose_sim", REPOSITORY / "rehab_pose_sim")):
        (index / package).touch()
        share = prefix / "share" / package
        share.mkdir()
        (share / "package.xml").symlink_to(root / "package.xml")
    for folder in ("launch", "config", "rviz"):
        for file in (REPOSITORY / folder).rglob("*.*"):
            link = prefix / "share" / "rehab_pose" / file.relative_to(REPOSITORY)
            link.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file() and "__pycache__" not in file.parts:
                link.symlink_to(file)
    programs = [(spec.package, spec.name, spec.module) for spec in (*NODES, *plugin_nodes())]
    for package, name, module in [*programs, ("rehab_pose", "rehab-pose", "rehab_pose.cli.main")]:
        program = prefix / "lib" / package / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    paths = [str(REPOSITORY), *sys.path]
    prefixes = [str(prefix), *filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "AMENT_PREFIX_PATH": os.pathsep.join(prefixes),
        "ROS_LOG_DIR": str(prefix / "log"),
        "ROS_HOME": str(prefix / "home"),
    }


def ros2(environment: dict[str, str], *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", ROS2, *arguments],
        env=environment, capture_output=True, text=True, check=False, timeout=START_S,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


class Launched:
    """A running `ros2 launch`."""

    def __init__(self, environment: dict[str, str], log: Path, *arguments: str) -> None:
        self._log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-c", ROS2, "launch", "rehab_pose", *arguments],
                env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def output(self) -> str:
        return self._log.read_text()

    def pids(self) -> dict[str, int]:
        """Return the process ids of the running programs, by name."""
        pid = self.process.pid
        pids: dict[str, int] = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            line = Path(f"/proc/{child}/cmdline")
            words = line.read_text().split("\0") if line.exists() else []
            pids |= {Path(word).name: int(child) for word in words[:2] if "lib/rehab_pose" in word}
        return pids

    def interrupt(self) -> tuple[int, float]:
        """Send SIGINT to the process group, as Ctrl-C does; return the exit code and the time until the end [s]."""
        start_s = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_S), time.monotonic() - start_s


def _runs(entry: Launched, names: set[str]) -> bool:
    return names <= set(entry.pids())


@pytest.fixture
def launched(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    started: list[Launched] = []

    def start(*arguments: str) -> Launched:
        started.append(Launched(environment, tmp_path / f"{len(started)}.log", *arguments))
        return started[-1]

    yield start
    for entry in started:
        if entry.process.poll() is None:
            entry.interrupt()


def test_the_launch_arguments_are_listed_in_order(environment: dict[str, str]) -> None:
    listing = ros2(environment, "launch", "rehab_pose", "rehab_pose.launch.py", "--show-args")
    names = (
        "namespace use_sim_time params_file autostart log_level use_rviz rviz_config camera rgb_topic rgb_info_topic"
    )
    names += " depth_topic image_qos device model_path use_mesh use_recognition composed record bag"
    positions = [listing.index(f"'{name}':") for name in names.split()]
    assert positions == sorted(positions), "arguments in the order of the launch file"
    assert "kinect_v2" in listing
    replay = ros2(environment, "launch", "rehab_pose", "replay.launch.py", "--show-args")
    assert "'bag':" in replay
    assert "'composed':" in replay


def test_unusable_arguments_are_refused(launched: Callable[..., Launched]) -> None:
    entry = launched("rehab_pose.launch.py", "camera:=webcam")
    assert entry.process.wait(START_S) == 1
    assert "webcam" in entry.output


def test_all_stages_run_in_one_process_unless_one_of_them_is_off(
    launched: Callable[..., Launched], wait: Callable[[Callable[[], bool], float], bool]
) -> None:
    separate = "use_mesh:=false: each stage runs in a process of its own"
    for arguments, started, described in (
        ((), "pipeline", False), (("use_mesh:=false",), "rgbd_sync", True), (("composed:=false",), "rgbd_sync", False)
    ):  # fmt: skip
        entry = launched("rehab_pose.launch.py", *arguments)
        assert wait(partial(_runs, entry, {"session", "markers"}), START_S), entry.output
        assert started in entry.pids()
        assert len({"pipeline", "rgbd_sync"} & set(entry.pids())) == 1
        assert (separate in entry.output) == described
        os.killpg(entry.process.pid, signal.SIGKILL)  # what Ctrl-C does while nodes load is up to `ros2 launch`
        entry.process.wait(STOP_S)


def test_each_killed_node_is_restarted_and_ctrl_c_stops_all_nodes(
    launched: Callable[..., Launched], environment: dict[str, str], tmp_path: Path
) -> None:
    entry = launched(
        "rehab_pose.launch.py", "composed:=false", "sim:=true", f"record:={tmp_path / 'bag'}", "image_qos:=reliable"
    )
    with GraphWatch() as watch:
        up = watch.wait_for(lambda record: record.connected(STARTED_NODES) and bool(record.body_ns), START_S)
        assert up, entry.output
        for name in KILLED_NODES:
            old_pid, killed_ns = entry.pids()[name], time.time_ns()
            os.kill(old_pid, signal.SIGKILL)
            watch.record.diagnostics.clear()

            def is_restarted(record: Any, name: str = name, old_pid: int = old_pid, killed_ns: int = killed_ns) -> bool:  # noqa: ANN401
                has_new_results = all(
                    max(stamps, default=0) > killed_ns for stamps in (record.exercise_ns, record.body_ns)
                )
                reports = any(node.rpartition("/")[2] == name for node in record.diagnostics)
                return entry.pids().get(name, old_pid) != old_pid and has_new_results and reports

            assert watch.wait_for(is_restarted, BACK_S), (
                f"{name} was not restarted\n{watch.record.diagnostics}\n{entry.output}"
            )
            # Discovery of the restarted node by the others, before the next one is killed.
            assert watch.wait_for(lambda record: record.connected(STARTED_NODES), BACK_S), entry.output
    dumped = yaml.safe_load(ros2(environment, "param", "dump", "/rehab_pose/rgbd_sync", *DIRECTLY))
    assert dumped["/rehab_pose/rgbd_sync"]["ros__parameters"]["camera"]["image_qos"] == "reliable"
    answer = ros2(
        environment, "param", "set", "/rehab_pose/exercise", "exercise.confidence_threshold", "0.7", *DIRECTLY
    )
    assert "successful" in answer
    assert "label" in ros2(
        environment, "topic", "echo", "--once", "--no-daemon", "--spin-time", "5", "/rehab_pose/exercise"
    )
    pids = entry.pids()
    assert {*STARTED_NODES, "markers", "sim_camera", "rehab-pose"} <= set(pids)
    code, _ = entry.interrupt()
    assert code == 0, entry.output
    assert not [name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()], "a program is still running"
    assert "Traceback" not in entry.output
    assert (tmp_path / "bag" / "metadata.yaml").is_file(), "the recording was not finished"
