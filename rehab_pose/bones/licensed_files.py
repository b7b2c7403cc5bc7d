"""Reading of licensed bone models, which a user obtains from their authors: SKEL, and OSSO with STAR."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rehab_pose.array_file import CONTENT_ERRORS, ArrayFile
from rehab_pose.bones.licensed import osso_template, skel_template
from rehab_pose.errors import InputError, ModelFileError
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.bones.licensed import BoneTemplate

__all__ = ["read_template"]


@dataclass(frozen=True)
class _OssoFile:
    """Key of one of OSSO's arrays and the pattern of its file name."""

    key: str
    pattern: str


OSSO_FILES = (
    _OssoFile("skeleton_model", r"skeleton_model\.pkl"),
    _OssoFile("skeleton_pca", r"skeleton_pca_{gender}\.pkl"),
    _OssoFile("betas_regressor", r"betas_regressor_{gender}\.pkl"),
    _OssoFile("lying_pose", r"lying_pose_{gender}\.pkl"),
)


def read_template(path: Path, *, gender: str = "female", star: Path | None = None) -> BoneTemplate:
    """Return the bone template of a licensed model that the user has obtained.

    Args:
        path: SKEL's `skel_female.pkl` or `skel_male.pkl`, or the folder of OSSO's files.
        gender: Gender of OSSO's files.
        star: STAR's `model.npz` of the same gender; only OSSO needs it.

    Raises:
        ModelFileError: A file is missing, damaged, contains code, or has another content.
    """
    if path.is_file():
        content = _unpickled(path)
        if not isinstance(content, dict):
            msg = f"bones: {path}: expected a dictionary of arrays, got {type(content).__name__}"
            raise ModelFileError(msg)
        return _checked(path, lambda: skel_template(content))
    if not path.is_dir():
        msg = f"bones: expected SKEL's file or OSSO's folder at {path}, found neither"
        raise ModelFileError(msg)
    if star is None:
        msg = "bones: OSSO's skeleton is in a lying pose; give STAR's model.npz too, whose joints move it upright"
        raise ModelFileError(msg)
    files: dict[str, Any] = {file.key: _unpickled(_osso_file(path, file.pattern, gender)) for file in OSSO_FILES}
    files["star"] = _read_npz(star)
    return _checked(path, lambda: osso_template(files))


def _checked(path: Path, make: Callable[[], BoneTemplate]) -> BoneTemplate:
    """Return the template that `make` computes; turn errors of its content into a ModelFileError."""
    try:
        return make()
    except (*CONTENT_ERRORS, MemoryError) as error:
        msg = f"bones: {path} is not a usable skeleton: {error}"
        raise ModelFileError(msg) from error


def _osso_file(folder: Path, pattern: str, gender: str) -> Path:
    name_pattern = re.compile(pattern.replace("{gender}", gender))
    for file in sorted(folder.rglob("*.pkl")):
        if name_pattern.fullmatch(file.name):
            return file
    msg = f"bones: expected a file {name_pattern.pattern} in {folder}, there is none"
    raise ModelFileError(msg)


def _unpickled(path: Path) -> object:
    try:
        return load_restricted_pickle(path.read_bytes())
    except (RefusedPickleError, OSError) as error:
        msg = f"bones: {path}: {error}"
        raise ModelFileError(msg) from error


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with ArrayFile(path) as archive:
            return dict(archive)
    except InputError as error:
        msg = f"bones: {path} is not an .npz of plain arrays: {error}"
        raise ModelFileError(msg) from error
