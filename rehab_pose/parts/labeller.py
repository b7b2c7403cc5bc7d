"""Labelling of body parts in a silhouette, by the nearest bone or by a human parsing network."""

from __future__ import annotations

from rehab_pose.datatypes import BodyParts, Joints, PersonView, Silhouette
from rehab_pose.errors import ModelFileError
from rehab_pose.parts.contours import part_contours
from rehab_pose.parts.nearest_bone import label_by_nearest_bone
from rehab_pose.parts.parsing import PersonParser
from rehab_pose.parts.settings import PartSettings

__all__ = ["PartLabeller"]


class PartLabeller:
    """Labels the pixels of silhouettes with body parts."""

    def __init__(self, settings: PartSettings | None = None) -> None:
        """Load the parsing network if the method of the settings has one.

        Raises:
            ModelFileError: Its weights cannot be used.
            MissingDependencyError: PyTorch is not installed.
        """
        self._settings = settings or PartSettings()
        self._parser = _parser(self._settings.weights_path) if self._settings.method == "psp" else None

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        return self._parser.model_id if self._parser else self._settings.method

    def reset(self) -> None:
        """Do nothing: frames are processed independently."""

    def process(self, item: PersonView | None) -> BodyParts | None:
        """Return the parts of a person, None without one."""
        return None if item is None else self.label(item.silhouette, item.joints)

    def label(self, silhouette: Silhouette, joints: Joints) -> BodyParts:
        """Return the labels of a silhouette and the contours of its parts.

        Args:
            silhouette: The person's pixels.
            joints: SMPL_24 joints of the same person in the same frame; the parsing network does not use them.
        """
        if self._parser:
            labels = self._parser.parse(silhouette)
        else:
            labels = label_by_nearest_bone(silhouette, joints, self._settings.stride_px)
        return BodyParts(
            stamp_ns=silhouette.stamp_ns,
            frame_id=silhouette.frame_id,
            box_px=silhouette.box_px,
            labels=labels,
            contours_px=part_contours(labels, silhouette.box_px, self._settings.points_per_contour),
        )


def _parser(weights_path: str) -> PersonParser:
    if not weights_path:
        msg = (
            "parts.weights_path: the method psp expects a checkpoint of Single-Human-Parsing-LIP, got none; "
            "download one from that project, or use the method joints"
        )
        raise ModelFileError(msg)
    return PersonParser(weights_path)
