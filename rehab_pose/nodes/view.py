"""The node `view`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import os
import queue
import sys
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message, bones_from_message
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.camera_info import intrinsics_from_message
from rehab_pose.messages.exercise import (
    classification_from_message,
    labels_from_message,
    progress_from_message,
    repetition_from_message,
)
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.images import color_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.ros.adapters.session_commands import SessionCommands
from rehab_pose.ros.io.newest_input import NewestInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.session.state import SessionStage
from rehab_pose.view.access import TOKEN_VARIABLE
from rehab_pose.view.browser import open_browser
from rehab_pose.view.commands import HoldCommand, StartCommand, StopCommand
from rehab_pose.view.exercise_state import ExerciseState, session_part
from rehab_pose.view.hub import Hub, Part
from rehab_pose.view.parts import (
    angle_names_part,
    angles_part,
    bones_part,
    exercises_part,
    image_part,
    joints_part,
    mesh_part,
    skeleton_part,
    topology_part,
)
from rehab_pose.view.server import ViewServer
from rehab_pose.view.settings import ViewSettings

if TYPE_CHECKING:
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.messages.factory import Message
    from rehab_pose.skeletons.skeleton import Skeleton
    from rehab_pose.view.commands import Command

__all__ = ["ViewNode", "main"]

POLLS_PER_STATE = 1.5
"""Polls for new messages in the time of one state: with one, the phases of camera and page would lose frames."""
IDLE_S = 0.2
"""Period of looking for pages while none is open [s]."""
WAITING_IMAGES = 8
"""Images that wait for their joints, which come later by the graph's delay: a quarter of a second at 30 Hz."""
NOT_IN_GRAPH = "The running graph offers no such command: it is for recordings."


class ViewNode(StageNode):
    """Shows the running graph to browsers; subscribes to what their pages show, and to little while none is open."""

    def __init__(self) -> None:
        super().__init__(node_spec("view"))
        self._settings_of_page = settings = self.settings(ViewSettings)
        self._hub = Hub(image=settings.image)
        self._exercise = ExerciseState()
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._session_commands = SessionCommands(self, self._on_outcome)
        self._server: ViewServer | None = None
        self._pending: dict[str, Part] = {}
        self._images: deque[Message] = deque(maxlen=WAITING_IMAGES)
        self._intrinsics: CameraIntrinsics | None = None
        self._skeleton: Skeleton | None = None
        self._angle_names: tuple[str, ...] = ()
        always = [
            NewestInput(self, topics.CAMERA_INFO, self._on_camera_info),
            NewestInput(self, topics.JOINTS, self._on_joints),
            NewestInput(self, topics.JOINT_ANGLES, self._on_angles),
            NewestInput(self, topics.EXERCISE, self._on_exercise),
            NewestInput(self, topics.REPETITION_PROGRESS, self._on_progress),
        ]
        self._inputs = dict.fromkeys(always, "") | {
            NewestInput(self, topics.COLOR, self._on_color, WAITING_IMAGES): "image",
            NewestInput(self, topics.VERTICES, self._on_vertices): "mesh",
            NewestInput(self, topics.BONES, self._on_bones): "bones",
        }
        self.listen(topics.TOPOLOGY, self._on_topology, watched=False)
        self.listen(topics.EXERCISE_LIST, self._on_list, watched=False)
        self.listen(topics.REPETITION, self._on_repetition, watched=False)
        self.listen(topics.SESSION_STATE, self._on_session, watched=False)
        self.listen(topics.FEEDBACK, self._on_feedback, watched=False)
        self._hub.publish(
            {"source": Part({"kind": "graph", "title": "Running graph", "session": ""}), **self._exercise.hold(0.0)}
        )
        self._poll_timer = self.create_timer(IDLE_S, self._poll)
        self._active = False

    def serve(self) -> None:
        """Serve the page, and print its address unless a launcher has chosen it.

        Raises:
            SettingsError: The port cannot be used.
            MissingDependencyError: The extra `view` is not installed.
        """
        token = os.environ.get(TOKEN_VARIABLE, "")
        self._server = ViewServer(self._hub, self, self._settings_of_page, token)
        if not token:  # the program that has chosen it prints the address
            sys.stdout.write(f"view: {self._server.url}\n")
            sys.stdout.flush()
        if self._server.warning:
            self.get_logger().warning(self._server.warning)
        open_browser(self._server.url, wanted=self._settings_of_page.open)

    def command(self, command: Command) -> None:
        """Carry out a command of a page on the node's own thread."""
        self._commands.put(command)

    def close(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.close()
        super().close()

    def before_report(self) -> None:
        """Show on /diagnostics how many pages are open and how many states were published."""
        self.health.facts["pages"] = str(self._hub.page_count)
        self.health.facts["frames_shown"] = str(self._hub.frames)

    def _poll(self) -> None:
        while not self._commands.empty():
            self._carry_out(self._commands.get_nowait())
        active = self._hub.page_count > 0
        wanted = self._hub.wanted()
        for entry, part in self._inputs.items():
            entry.subscribe(wanted=active and (not part or part in wanted))
        if active != self._active:
            self._active = active
            period_s = 1.0 / (POLLS_PER_STATE * self._settings_of_page.rate_hz) if active else IDLE_S
            self._poll_timer.timer_period_ns = round(period_s * 1e9)
            self._images.clear()
        for entry in self._inputs:
            entry.poll()
        if self._pending:
            pending, self._pending = self._pending, {}
            self._hub.publish(pending)

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, StartCommand):
            self._session_commands.start(command)
        elif isinstance(command, StopCommand):
            self._session_commands.stop()
        elif isinstance(command, HoldCommand):
            self._hub.publish(self._exercise.hold(command.hold_s))
        else:
            self._on_outcome(NOT_IN_GRAPH)

    def _on_outcome(self, sentence: str) -> None:
        self._hub.publish({"notice": Part({"words": sentence})})

    def _on_camera_info(self, message: Message) -> None:
        self._intrinsics = intrinsics_from_message(message)

    def _on_color(self, message: Message) -> None:
        self._images.append(message)

    def _on_joints(self, message: Message) -> None:
        joints, stamp = joints_from_message(message), stamp_ns(message.header.stamp)
        if joints is not None and joints.skeleton is not self._skeleton:
            self._skeleton = joints.skeleton
            self._pending["skeleton"] = skeleton_part(joints.skeleton)
        self._pending["joints"] = joints_part(stamp, joints, self._intrinsics)
        image = self._image_of(stamp)
        if image is not None:
            self._pending["image"] = image_part(color_from_message(image), self._settings_of_page.jpeg_quality)

    def _image_of(self, stamp: int) -> Message | None:
        """Return the image of a stamp [ns], or the newest one before it; older ones are dropped."""
        found = None
        while self._images and stamp_ns(self._images[0].header.stamp) <= stamp:
            found = self._images.popleft()
        return found

    def _on_angles(self, message: Message) -> None:
        angles = angles_from_message(message)
        if angles is not None and angles.names != self._angle_names:
            self._angle_names = angles.names
            self._pending["angle_names"] = angle_names_part(angles.names)
        self._pending["angles"] = angles_part(stamp_ns(message.header.stamp), angles)

    def _on_vertices(self, message: Message) -> None:
        self._pending["mesh"] = mesh_part(vertices_from_message(message))

    def _on_bones(self, message: Message) -> None:
        self._pending["bones"] = bones_part(bones_from_message(message))

    def _on_exercise(self, message: Message) -> None:
        self._pending |= self._exercise.classification(classification_from_message(message))

    def _on_progress(self, message: Message) -> None:
        self._pending |= self._exercise.progress(progress_from_message(message))

    def _on_repetition(self, message: Message, _arrived_s: float) -> None:
        self._pending |= self._exercise.repetition(repetition_from_message(message))

    def _on_topology(self, message: Message, _arrived_s: float) -> None:
        self._pending["topology"] = topology_part(np.asarray(message.triangles, np.uint32).reshape(-1, 3))

    def _on_list(self, message: Message, _arrived_s: float) -> None:
        self._pending["exercises"] = exercises_part(labels_from_message(message))

    def _on_session(self, message: Message, _arrived_s: float) -> None:
        self._pending["session"] = session_part(
            running=message.state == SessionStage.RUNNING,
            exercise=message.exercise,
            count=message.repetitions,
            target=message.target_repetitions,
            message=message.message,
        )

    def _on_feedback(self, message: Message, _arrived_s: float) -> None:
        self._pending |= self._exercise.cue(message.data)


def served() -> ViewNode:
    """Return the node, which serves its page.

    Raises:
        SettingsError: The port cannot be used.
        MissingDependencyError: The extra `view` is not installed.
    """
    node = ViewNode()
    node.serve()
    return node


def main() -> int:
    """Run the node."""
    return run_node(served)


if __name__ == "__main__":
    sys.exit(main())
