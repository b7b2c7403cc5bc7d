"""The body posed by the `smplx` package (optional), behind the same interface as `TorchBody`.

`smplx` is licensed for non-commercial research: nothing here imports it until this back end is asked for, and
nothing in this package needs it. Its SMPL class reads pickles only, with a plain unpickler that would run what is in
them; so files are read by `load_body_model` and handed over as arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rehab_pose.body.model import PARENTS
from rehab_pose.errors import MissingDependencyError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.methods.body.back_end_torch import PosedSurface, shape_size

if TYPE_CHECKING:
    from rehab_pose.body.model import BodyModel

__all__ = ["SmplxBody"]

SMPLX_SHAPE_SPACE = 300
"""Files with fewer shape directions than this are cut to ten by smplx; zeros up to here keep all of them."""


class SmplxBody:
    """The `smplx` back end."""

    def __init__(
        self, model: BodyModel, *, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
    ) -> None:
        """Hand the model's arrays to smplx.

        Raises:
            MissingDependencyError: smplx is not installed.
        """
        try:
            import smplx  # noqa: PLC0415  (optional, and its licence is non-commercial)
        except ImportError as error:
            msg = (
                "back end smplx: the package is not installed; pip install smplx (non-commercial research licence), "
                "or use the back end native, which gives the same body"
            )
            raise MissingDependencyError(msg) from error
        self._model = model
        count = len(model.v_template)
        shapedirs = np.zeros((count, 3, SMPLX_SHAPE_SPACE), dtype=np.float32)
        shapedirs[..., : model.shape_count] = model.shapedirs
        posedirs = model.posedirs
        if posedirs is None:
            posedirs = np.zeros((count, 3, 9 * (len(SMPL_24) - 1)), dtype=np.float32)
        arrays: dict[str, Any] = {
            "v_template": model.v_template,
            "shapedirs": shapedirs,
            "posedirs": posedirs,
            "J_regressor": model.joint_regressor,
            "weights": model.weights,
            "f": model.faces,
            "kintree_table": np.stack([PARENTS, np.arange(len(SMPL_24))]),
        }
        body = smplx.SMPL(
            "",
            data_struct=smplx.utils.Struct(**arrays),
            dtype=dtype,
            num_betas=model.shape_count,
            # smplx adds 21 joints that are vertices of SMPL's own mesh; they are cut off below, so any vertex will do.
            vertex_ids=dict.fromkeys(smplx.vertex_ids.vertex_ids["smplh"], 0),
            create_betas=False,
            create_body_pose=False,
            create_global_orient=False,
            create_transl=False,
        )
        self._body: Any = body.to(device).requires_grad_(False)

    @property
    def model(self) -> BodyModel:
        """The model that is posed."""
        return self._model

    def joints(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> torch.Tensor:
        """Return the posed joints (..., 24, 3) [m]; smplx computes the surface for them too."""
        return self.surface(betas, rotations_rad, translation_m).joints_m

    def surface(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> PosedSurface:
        """Return the posed surface (..., V, 3) and joints (..., 24, 3) [m]."""
        shapes = (betas.shape[:-1], rotations_rad.shape[:-2], translation_m.shape[:-1])
        batch = torch.broadcast_shapes(*shapes)  # type: ignore[no-untyped-call]
        missing = self._model.shape_count - shape_size(self._model, betas)
        coefficients = (
            torch.nn.functional.pad(betas, (0, missing)).expand(*batch, -1).reshape(-1, betas.shape[-1] + missing)
        )
        vectors_rad = rotations_rad.expand(*batch, -1, -1).reshape(-1, *rotations_rad.shape[-2:])
        output = self._body(
            betas=coefficients,
            global_orient=vectors_rad[:, 0],
            body_pose=vectors_rad[:, 1:].flatten(1),
            transl=translation_m.expand(*batch, -1).reshape(-1, 3),
        )
        return PosedSurface(
            output.vertices.reshape(*batch, -1, 3), output.joints[:, : len(SMPL_24)].reshape(*batch, -1, 3)
        )
