"""The node `view`; its topics and parameters are in its row of `rehab_pose.graph`."""

from __future__ import annotations

import os
import queue
import sys
from typing import TYPE_CHECKING

from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.ros.adapters.session_commands import SessionCommands
from rehab_pose.ros.io.newest_input import NewestInput
from rehab_pose.ros.runtime.run_node import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.view.access import TOKEN_VARIABLE
from rehab_pose.view.browser import open_browser
from rehab_pose.view.commands import HoldCommand, StartCommand, StopCommand
from rehab_pose.view.exercise_state import ExerciseState
from rehab_pose.view.hub import Hub, Part
from rehab_pose.view.message_state import WAITING_IMAGES, MessageState
from rehab_pose.view.server import ViewServer
from rehab_pose.view.settings import ViewSettings

if TYPE_CHECKING:
    from rehab_pose.messages.topics import Topic
    from rehab_pose.view.commands import Command

__all__ = ["ViewNode", "main"]

POLLS_PER_STATE = 1.5
"""Polls for new messages in the time of one state: with one, the phases of camera and page would lose frames."""
IDLE_S = 0.2
"""Period of looking for pages while none is open [s]."""
OPTIONAL = {topics.COLOR: "image", topics.VERTICES: "mesh", topics.BONES: "bones"}
"""Parts that pages ask for, by topic; without one that asks the topic is not subscribed to."""
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
        self._state = MessageState(self._exercise, settings.jpeg_quality)
        self._inputs = {self._newest(topic): OPTIONAL.get(topic, "") for topic in self.spec.optional}
        for topic in self.spec.inputs:
            if topic not in self.spec.optional:
                self._listen_always(topic)
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

    def _listen_always(self, topic: Topic) -> None:
        self.listen(topic, lambda message, _arrived_s: self._state.receive(topic, message), watched=False)

    def _newest(self, topic: Topic) -> NewestInput:
        depth = WAITING_IMAGES if topic is topics.COLOR else 1
        return NewestInput(self, topic, lambda message: self._state.receive(topic, message), depth)

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
            self._state.forget_images()
        for entry in self._inputs:
            entry.poll()
        self._state.repetitions.clear()
        changed = self._state.take()
        if changed:
            self._hub.publish(changed)

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
