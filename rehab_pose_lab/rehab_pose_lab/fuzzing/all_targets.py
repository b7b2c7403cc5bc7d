"""All targets of the fuzzer."""

from __future__ import annotations

from rehab_pose_lab.fuzzing.dataset_targets import DATASET_TARGETS
from rehab_pose_lab.fuzzing.file_targets import FILE_TARGETS
from rehab_pose_lab.fuzzing.message_targets import MESSAGE_TARGETS
from rehab_pose_lab.fuzzing.model_targets import MODEL_TARGETS
from rehab_pose_lab.fuzzing.page_targets import PAGE_TARGETS

__all__ = ["TARGETS"]

TARGETS = (*FILE_TARGETS, *MODEL_TARGETS, *DATASET_TARGETS, *MESSAGE_TARGETS, *PAGE_TARGETS)
