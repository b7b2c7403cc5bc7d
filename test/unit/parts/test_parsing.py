"""PersonParser: names and sizes of published files, strict loading, and labels on the silhouette."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rehab_pose.errors import MissingDependencyError, ModelFileError
from rehab_pose.parts.classes import lip_class
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.parsing import PersonParser, fill_silhouette
from rehab_pose.parts.parsing_backbones_network import BACKBONES
from rehab_pose.parts.parsing_checkpoint import load_parsing_network
from rehab_pose.parts.parsing_network import ParsingNetwork
from rehab_pose.parts.settings import PartSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette

    Person = tuple[Silhouette, Joints, NDArray[np.uint8]]

NARROWING = 16
"""Divisor of all channel counts, for files of half a MB."""
PUBLISHED_PARAMETERS = {
    "squeezenet": 1_235_496 - (512 * 1000 + 1000),
    "densenet": 7_978_856 - (1024 * 1000 + 1000) - 2 * 1024,
    "resnet18": 11_689_512 - (512 * 1000 + 1000),
    "resnet34": 21_797_672 - (512 * 1000 + 1000),
    "resnet50": 25_557_032 - (2048 * 1000 + 1000),
    "resnet101": 44_549_160 - (2048 * 1000 + 1000),
    "resnet152": 60_192_808 - (2048 * 1000 + 1000),
}
"""`num_params` of torchvision's classifiers without their last layer and DenseNet's last normalisation."""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def saved(path: Path, network: ParsingNetwork) -> Path:
    """Save as that project does: the state with the names of DataParallel."""
    torch.save({f"module.{name}": value for name, value in network.state_dict().items()}, path)
    return path


def constant_network(part: int) -> ParsingNetwork:
    """Return a network that predicts one part everywhere."""
    network = ParsingNetwork("squeezenet", narrowing=NARROWING).eval()
    with torch.no_grad():
        network.get_parameter("final.0.bias")[part] = 1e4
    return network


@pytest.mark.parametrize("backbone", BACKBONES)
def test_backbones_have_the_published_sizes(backbone: str) -> None:
    with torch.device("meta"):
        features = ParsingNetwork(backbone).feats
    assert sum(parameter.numel() for parameter in features.parameters()) == PUBLISHED_PARAMETERS[backbone]


def test_names_and_shapes_equal_those_of_published_files() -> None:
    with torch.device("meta"):
        residual, dense = (
            {name: tuple(value.shape) for name, value in ParsingNetwork(backbone).state_dict().items()}
            for backbone in ("resnet50", "densenet")
        )
    # ResNet-50: 53 convolutions with 53 normalisations of five tensors. Pyramid: four grids and the bottleneck's two.
    # Three upsampling steps of 2 + 5 + 1, the last layer's two, the image-level head's four.
    assert len(residual) == 6 * 53 + 4 + 2 + 3 * 8 + 2 + 4
    assert residual["feats.layer3.5.conv2.weight"] == (256, 256, 3, 3)
    assert residual["psp.stages.3.1.weight"] == (2048, 2048, 1, 1)
    assert residual["psp.bottleneck.weight"] == (1024, 10240, 1, 1)
    assert residual["up_1.conv.0.weight"] == (256, 1024, 3, 3)
    assert residual["up_3.conv.2.weight"] == (1,)
    assert residual["final.0.weight"] == (20, 64, 1, 1)
    assert residual["classifier.0.weight"] == (256, 1024)
    assert residual["classifier.2.bias"] == (20,)
    assert dense["feats.start_features.norm0.running_mean"] == (64,)
    assert dense["feats.blocks.2.denselayer12.conv2.weight"] == (32, 128, 3, 3)
    assert dense["feats.denseblock4.denselayer16.norm1.weight"] == (992,)
    assert dense["feats.transition3.conv.weight"] == (512, 1024, 1, 1)
    assert dense["classifier.0.weight"] == (256, 512)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_saved_network_is_loaded_with_the_same_output(tmp_path: Path, backbone: str) -> None:
    network = ParsingNetwork(backbone, narrowing=NARROWING).eval()
    loaded = load_parsing_network(saved(tmp_path / "PSPNet_last", network), narrowing=NARROWING)
    images = torch.rand(1, 3, 64, 64)
    scores = loaded(images)
    assert scores.shape == (1, 20, 64, 64)
    torch.testing.assert_close(scores, network(images))
    torch.testing.assert_close(scores.exp().sum(dim=1), torch.ones(1, 64, 64))


def test_missing_unknown_or_misshaped_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "PSPNet_last"
    state = ParsingNetwork("resnet18", narrowing=NARROWING).state_dict()
    cases = [
        (
            {name: value for name, value in state.items() if name != "psp.bottleneck.bias"},
            r"expected psp\.bottleneck\.b",
        ),
        ({**state, "final.0.bias": torch.zeros(7)}, r"final\.0\.bias: expected the shape \(20,\), got \(7,\)"),
        ({**state, "feats.fc.bias": torch.zeros(7)}, r"feats\.fc\.bias of the shape \(7,\) belongs to no layer"),
        ({"backbone.conv1.weight": torch.zeros(7)}, r"its first name is backbone\.conv1\.weight"),
    ]
    for content, message in cases:
        torch.save(content, path)
        with pytest.raises(ModelFileError, match=message):
            load_parsing_network(path, narrowing=NARROWING)


class Hostile:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"feats.conv1.weight": Hostile(tmp_path / "made")}, tmp_path / "PSPNet_last")
    with pytest.raises(ModelFileError, match="it was not run"):
        PartLabeller(PartSettings(method="psp", weights_path=str(tmp_path / "PSPNet_last")))
    assert not (tmp_path / "made").exists()


def test_psp_without_weights_is_refused_with_advice() -> None:
    with pytest.raises(
        ModelFileError, match=r"parts\.weights_path.*Single-Human-Parsing-LIP.*or use the method joints"
    ):
        PartLabeller(PartSettings(method="psp"))


def test_without_pytorch_the_error_advises_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rehab_pose.checkpoints", None)
    with pytest.raises(MissingDependencyError, match=r"expected PyTorch.*choose the method joints"):
        PartLabeller(PartSettings(method="psp", weights_path="PSPNet_last"))


def test_the_silhouette_is_filled_from_the_nearest_part() -> None:
    hair, pants = lip_class("hair"), lip_class("pants")
    labels, inside = np.zeros((20, 10), np.uint8), np.zeros((20, 10), np.bool_)
    inside[2:18, 2:8] = True
    labels[4:7, 3:7], labels[12:14, 3:7] = hair, pants
    labels[18:, :] = lip_class("left_shoe")  # outside the silhouette: ignored
    filled = fill_silhouette(labels, inside)
    assert (filled[~inside] == 0).all()
    assert (filled[2:9, 2:8] == hair).all()
    assert (filled[11:18, 2:8] == pants).all()
    assert not fill_silhouette(np.zeros_like(labels), inside).any()


class LeftAndRight(torch.nn.Module):
    """Predicts a left arm in the left quarter, a right arm in the right quarter, and background in between."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert images.shape == (1, 3, 256, 256)
        logits = torch.zeros(1, 20, 256, 256)
        logits[:, lip_class("left_arm"), :, :64] = logits[:, lip_class("right_arm"), :, 192:] = 9.0
        return logits


def test_labels_have_their_place_in_the_box(tmp_path: Path, lifting: Person) -> None:
    from rehab_pose.checkpoints import TorchNetwork  # noqa: PLC0415  (its only use)

    silhouette, _, _ = lifting
    (tmp_path / "weights").write_bytes(b"weights")
    parser = PersonParser.__new__(PersonParser)
    parser._network = TorchNetwork(LeftAndRight(), tmp_path / "weights")
    labels = parser.parse(silhouette)
    quarter = silhouette.inside.shape[1] // 4
    assert set(np.unique(labels[:, :quarter])) == {0, lip_class("left_arm")}
    assert set(np.unique(labels[:, -quarter:])) == {0, lip_class("right_arm")}
    np.testing.assert_array_equal(labels > 0, silhouette.inside)


def test_parts_from_a_checkpoint_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifting: Person) -> None:
    monkeypatch.setattr(
        "rehab_pose.parts.parsing_checkpoint.load_parsing_network", partial(load_parsing_network, narrowing=NARROWING)
    )
    silhouette, joints, _ = lifting
    dress = lip_class("dress")
    path = saved(tmp_path / "PSPNet_last", constant_network(dress))
    labeller = PartLabeller(PartSettings(method="psp", weights_path=str(path)))
    parts = labeller.label(silhouette, joints)
    np.testing.assert_array_equal(parts.labels, np.where(silhouette.inside, dress, 0))
    assert np.isfinite(parts.contours_px[dress]).all()
    assert np.isnan(np.delete(parts.contours_px, dress, axis=0)).all()
    assert labeller.model_id.startswith("PSPNet_last-")
    without_parts = PartLabeller(PartSettings(method="psp", weights_path=str(saved(path, constant_network(0))))).label(
        silhouette, joints
    )
    assert not without_parts.labels.any()
    assert PartLabeller().model_id == "joints"
