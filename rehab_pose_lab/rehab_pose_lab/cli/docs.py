"""`rehab-pose-lab docs`: print or draw the parts of the documentation that are generated from the sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "nodes_page", "run"]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("docs", help="print or draw the documentation that is generated from the sources")
    pages = parser.add_subparsers(dest="page", required=True)
    pages.add_parser("nodes", help="docs/nodes.md: topics and parameters of every node")
    pages.add_parser("exercises", help="the generated part of docs/exercises.md: the library of exercises")
    pages.add_parser("policy", help="config/sros2/policy.xml: rights of every node under SROS2")
    figure = pages.add_parser(
        "preprocessing", help="docs/images/preprocessing.png: each step of the depth preprocessing, simulated"
    )
    figure.add_argument("-o", "--output", type=Path, required=True, help="picture file to write (.png or .jpg)")
    parser.set_defaults(run=run)


def nodes_page() -> str:
    """Return docs/nodes.md.

    Raises:
        InputError: The messages' sources are not found next to the packages.
    """
    from rehab_pose_lab.docs.node_reference import node_reference  # noqa: PLC0415  (loaded only when run)

    return node_reference()


def run(arguments: argparse.Namespace) -> int:
    """Print the page, or write the picture.

    Raises:
        RecordingError: The picture cannot be written.
    """
    if arguments.page == "preprocessing":
        from rehab_pose_lab.docs.preprocessing_figure import write_preprocessing_figure  # noqa: PLC0415  (see above)

        write_preprocessing_figure(arguments.output)
        print(f"wrote {arguments.output}")
    elif arguments.page == "exercises":
        from rehab_pose_lab.docs.exercise_page import exercise_page  # noqa: PLC0415  (see above)

        print(exercise_page(), end="")
    elif arguments.page == "policy":
        from rehab_pose_lab.docs.security_policy import security_policy  # noqa: PLC0415  (see above)

        print(security_policy(), end="")
    else:
        print(nodes_page(), end="")
    return 0
