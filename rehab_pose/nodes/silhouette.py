"""rgbd -> silhouette: which pixels are the person's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.frames import (
    frame_from_message,
    full_mask_message,
    nobody_silhouette_message,
    silhouette_message,
)
from rehab_pose.ros.runtime.run import run_node
from rehab_pose.ros.runtime.stage_node import StageNode
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["SilhouetteNode", "main"]


class SilhouetteNode(StageNode):
    """Finds the subject in each frame."""

    def __init__(self) -> None:
        super().__init__("silhouette")
        settings = self.settings("silhouette", SilhouetteSettings)
        self._segmenter = self.stage(lambda: SilhouetteSegmenter(settings))
        self._silhouette = self.output(topics.SILHOUETTE)
        self._image = self.output(topics.SILHOUETTE_IMAGE)
        self.input(topics.RGBD, self._on_frame)

    def _on_frame(self, message: Message) -> bool:
        frame = frame_from_message(message)
        silhouette = self._segmenter.get().segment(frame)
        if silhouette is None:
            self._silhouette.publish(nobody_silhouette_message(self.factory, frame))
        else:
            self._silhouette.publish(silhouette_message(self.factory, silhouette))
        if self._image.get_subscription_count():
            self._image.publish(full_mask_message(self.factory, frame, silhouette))
        return silhouette is not None


def main() -> int:
    """Run the node."""
    return run_node(SilhouetteNode)


if __name__ == "__main__":
    sys.exit(main())
