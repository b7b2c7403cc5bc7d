"""An exercise as a robot assistant does it: a leaf of a behaviour tree, and a small state machine around it.

`ExerciseLeaf.tick` returns RUNNING, SUCCESS or FAILURE and never blocks, as leaves of py_trees and of Nav2's trees do;
`halt` cancels. `run_exercises` goes through a plan and offers each exercise that was not finished once more.

python examples/robot/exercise_states.py P01 squat:5 arm_lifting:5        while `rehab-pose run` runs
"""

from __future__ import annotations

import argparse
import sys
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

from rehab_pose_msgs.action import RunExercise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ACTION = "rehab_pose/run_exercise"
TRIES = 2
TIMEOUT_S = 120.0
SERVER_WAIT_S = 10.0


class Status(Enum):
    """States of a leaf, as in py_trees and BehaviorTree.CPP."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class ExerciseLeaf:
    """One goal of run_exercise; the node is spun elsewhere."""

    def __init__(self, node: Node, goal: Any, say: Callable[[str], None]) -> None:  # noqa: ANN401  (a message)
        """Prepare the goal; `say` gets what the robot tells the person."""
        self._client = ActionClient(node, RunExercise, ACTION)
        self._goal, self._say = goal, say
        self._sent: Any = None
        self._handle: Any = None
        self._answer: Any = None
        self._count = 0
        self.result: Any = None
        """The result, also of a goal that was aborted or cancelled; None before the end."""

    def tick(self) -> Status:
        """Send the goal at first, then return how it goes."""
        if self._sent is None:
            if not self._client.server_is_ready():
                return Status.RUNNING
            self._sent = self._client.send_goal_async(self._goal, feedback_callback=self._on_feedback)
        if self._handle is None and self._sent.done():
            self._handle = self._sent.result()
            if not self._handle.accepted:
                return Status.FAILURE  # the reason is in the session node's log and on /diagnostics
            self._answer = self._handle.get_result_async()
        if self._answer is None or not self._answer.done():
            return Status.RUNNING
        answer = self._answer.result()
        self.result = answer.result
        return Status.SUCCESS if answer.status == GoalStatus.STATUS_SUCCEEDED else Status.FAILURE

    def halt(self) -> None:
        """Cancel the goal, as when another branch of the tree takes over."""
        if self._handle is not None and self.result is None:
            self._handle.cancel_goal_async()

    def _on_feedback(self, message: Any) -> None:  # noqa: ANN401  (a message)
        feedback = message.feedback
        if feedback.repetitions != self._count:
            self._count = feedback.repetitions
            self._say("; ".join([str(self._count), *feedback.reasons]))


def goal_of(person: str, exercise: str, repetitions: int, timeout_s: float = TIMEOUT_S) -> Any:  # noqa: ANN401  (a message)
    """Return the goal of an exercise."""
    goal = RunExercise.Goal()
    goal.subject_code, goal.exercise, goal.repetitions, goal.timeout = person, exercise, repetitions, timeout_s
    return goal


def run_exercises(node: Node, goals: Sequence[Any], say: Callable[[str], None], spin: Callable[[], None]) -> list[int]:
    """Do exercises one after the other; return the number of repetitions of each. `spin` lets the node work."""
    counts = []
    for goal in goals:
        count = 0
        for attempt in range(TRIES):
            say(f"{goal.exercise.replace('_', ' ')}: {goal.repetitions} times, please")
            leaf = ExerciseLeaf(node, goal, say)
            while (status := leaf.tick()) is Status.RUNNING:
                spin()
            count += leaf.result.repetitions if leaf.result is not None else 0
            if status is Status.SUCCESS:
                say("well done")
                break
            say("let us try again" if attempt + 1 < TRIES else "we go on with something else")
        counts.append(count)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the exercises of the command line; return 1 if there is no session node."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("person", help="subject code, not a name")
    parser.add_argument("plan", nargs="+", metavar="EXERCISE:NUMBER")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_S, help="longest time of an exercise [s]")
    given = parser.parse_args(arguments)
    plan = [entry.partition(":") for entry in given.plan]
    rclpy.init()
    node = Node("robot_assistant")
    try:
        ready = ActionClient(node, RunExercise, ACTION)
        end_s = time.monotonic() + SERVER_WAIT_S
        while not ready.server_is_ready() and time.monotonic() < end_s:
            rclpy.spin_once(node, timeout_sec=0.1)
        if not ready.server_is_ready():
            print(f"expected the action {ACTION}; start it: rehab-pose run", file=sys.stderr)
            return 1
        goals = [goal_of(given.person, name, int(number or 1), given.timeout) for name, _, number in plan]
        counts = run_exercises(node, goals, print, lambda: rclpy.spin_once(node, timeout_sec=0.1))
        for goal, count in zip(goals, counts, strict=True):
            print(f"{goal.exercise}: {count} of {goal.repetitions}")
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
