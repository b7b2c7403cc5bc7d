"""DeepLab: names and sizes of published files, strict loading, and Eq 1-7 around the network."""

from __future__ import annotations

import os
import pickle
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from rehab_pose.checkpoints import TorchNetwork
from rehab_pose.errors import ContractError, MissingDependencyError, ModelFileError, SettingsError
from rehab_pose.silhouette.deeplab import PERSON_CLASS, DeepLabPeople
from rehab_pose.silhouette.deeplab_checkpoint import load_deeplab
from rehab_pose.silhouette.deeplab_network import RESNET_BLOCKS, DeepLabV3, DeepLabV3Plus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

WIDTH = 4
"""Channels of the first layer, a sixteenth of the published networks', for files of 1 MB."""
TORCHVISION_PARAMETERS = {"resnet50": 42_004_074, "resnet101": 60_996_202}
"""`num_params` of torchvision's DeepLabV3 weights; with the auxiliary head."""
AUXILIARY_PARAMETERS = 1024 * 256 * 9 + 2 * 256 + 256 * 21 + 21
RESNET_PARAMETERS = {"resnet50": 25_557_032, "resnet101": 44_549_160, "resnet152": 60_192_808}
"""`num_params` of torchvision's classifiers; the last layer is not part of a backbone."""
CLASSIFIER_PARAMETERS = 2048 * 1000 + 1000

State = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def narrow_plus() -> DeepLabV3Plus:
    network = DeepLabV3Plus(RESNET_BLOCKS["resnet50"], width=WIDTH)
    for buffer in network.buffers():
        if buffer.is_floating_point():
            buffer.add_(0.1 * torch.rand(buffer.shape))
    return network.eval()


def saved(path: Path, content: object, *, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


@pytest.mark.parametrize("backbone", RESNET_BLOCKS)
def test_parameter_counts_equal_the_published_ones(backbone: str) -> None:
    with torch.device("meta"):
        plus, plain = DeepLabV3Plus(RESNET_BLOCKS[backbone]), DeepLabV3(RESNET_BLOCKS[backbone])
    assert (
        parameters(plus.backbone) == parameters(plain.backbone) == RESNET_PARAMETERS[backbone] - CLASSIFIER_PARAMETERS
    )
    if backbone in TORCHVISION_PARAMETERS:
        assert parameters(plain) == TORCHVISION_PARAMETERS[backbone] - AUXILIARY_PARAMETERS


def test_names_and_shapes_equal_those_of_published_files() -> None:
    with torch.device("meta"):
        plus, plain = shapes(DeepLabV3Plus()), shapes(DeepLabV3())
    # A convolution is one tensor, a normalisation five: 104 of each in ResNet-101's backbone, 8 in the decoder, 7
    # without it, and the last layer's weight and bias.
    assert len(plus) == 6 * (104 + 8) + 2
    assert len(plain) == 6 * (104 + 7) + 2
    assert plus["backbone.conv1.weight"] == (64, 3, 7, 7)
    assert plus["backbone.layer1.0.downsample.1.running_var"] == (256,)
    assert plus["backbone.layer3.22.conv2.weight"] == (256, 256, 3, 3)
    assert plus["backbone.layer4.2.bn3.num_batches_tracked"] == ()
    assert plus["classifier.project.0.weight"] == (48, 256, 1, 1)
    assert plus["classifier.aspp.convs.0.0.weight"] == (256, 2048, 1, 1)
    assert plus["classifier.aspp.convs.3.0.weight"] == (256, 2048, 3, 3)
    assert plus["classifier.aspp.convs.4.1.weight"] == (256, 2048, 1, 1)
    assert plus["classifier.aspp.project.0.weight"] == (256, 1280, 1, 1)
    assert plus["classifier.classifier.0.weight"] == (256, 304, 3, 3)
    assert plus["classifier.classifier.3.bias"] == (21,)
    assert plain["classifier.0.convs.4.2.weight"] == (256,)
    assert plain["classifier.1.weight"] == (256, 256, 3, 3)
    assert plain["classifier.4.weight"] == (21, 256, 1, 1)


@pytest.mark.parametrize("stride", [8, 16])
def test_features_have_the_output_stride(stride: int) -> None:
    network = DeepLabV3((1, 1, 2, 2), width=WIDTH, output_stride=stride).eval()
    images = torch.rand(1, 3, 65, 97)
    low, deep = network.backbone(images)
    assert low.shape[-2:] == (17, 25)
    assert deep.shape[-2:] == (64 // stride + 1, 96 // stride + 1)
    assert network(images).shape == (1, 21, 65, 97)


def test_a_training_checkpoint_is_loaded_with_the_same_output(tmp_path: Path) -> None:
    network, images = narrow_plus(), torch.rand(1, 3, 49, 65)
    content = {
        "cur_itrs": 30_000,
        "model_state": network.state_dict(),
        "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.1}]},
        "best_score": np.float64(0.78),
    }
    for zipped in (True, False):
        loaded = load_deeplab(saved(tmp_path / "plus.pth", content, zipped=zipped), width=WIDTH)
        assert isinstance(loaded, DeepLabV3Plus)
        assert not loaded.training
        torch.testing.assert_close(loaded(images), network(images))


@pytest.mark.parametrize("name", ["state_dict", "model"])
def test_wrappers_prefixes_and_old_files_are_accepted(tmp_path: Path, name: str) -> None:
    network, images = narrow_plus(), torch.rand(1, 3, 49, 65)
    state = {f"module.{key}": value for key, value in network.state_dict().items() if "num_batches" not in key}
    loaded = load_deeplab(saved(tmp_path / "plus.pth", {name: state}), width=WIDTH)
    torch.testing.assert_close(loaded(images), network(images))


def test_a_torchvision_file_is_loaded_without_its_auxiliary_head(tmp_path: Path) -> None:
    network, images = DeepLabV3(RESNET_BLOCKS["resnet50"], width=WIDTH).eval(), torch.rand(1, 3, 49, 65)
    state = {**network.state_dict(), "aux_classifier.0.weight": torch.zeros(256, 1024, 3, 3)}
    loaded = load_deeplab(saved(tmp_path / "v3.pth", state), width=WIDTH)
    torch.testing.assert_close(loaded(images), network(images))


def test_the_other_layout_of_v3_has_output_stride_16(tmp_path: Path) -> None:
    network = DeepLabV3(RESNET_BLOCKS["resnet50"], width=WIDTH, output_stride=16).eval()
    images = torch.rand(1, 3, 49, 65)
    state = {
        name.replace("classifier.", "classifier.classifier."): value for name, value in network.state_dict().items()
    }
    loaded = load_deeplab(saved(tmp_path / "v3.pth", {"model_state": state}), width=WIDTH)
    torch.testing.assert_close(loaded(images), network(images))


def without(state: State, name: str) -> State:
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda state: without(without(state, "backbone.layer2.1.bn2.bias"), "classifier.project.0.weight"),
            r"expected backbone\.layer2\.1\.bn2\.bias with the shape \(8,\), the file has none",
        ),
        (
            lambda state: {**state, "classifier.aspp.convs.2.0.weight": torch.zeros(16, 128, 1, 1)},
            r"classifier\.aspp\.convs\.2\.0\.weight: expected the shape \(16, 128, 3, 3\), got \(16, 128, 1, 1\)",
        ),
        (
            lambda state: {**state, "classifier.classifier.3.bias": torch.zeros(19)},
            r"classifier\.classifier\.3\.bias: expected the shape \(21,\), got \(19,\)",
        ),
        (
            lambda state: {**state, "backbone.fc.weight": torch.zeros(1000, 128)},
            r"backbone\.fc\.weight of the shape \(1000, 128\) belongs to no layer",
        ),
        (
            lambda state: {**state, "backbone.conv1.weight": torch.zeros(4, 3, 7, 7, dtype=torch.int64)},
            r"backbone\.conv1\.weight: expected torch\.float32, got torch\.int64",
        ),
        (lambda state: {**state, "backbone.bn1.bias": 0.5}, r"'backbone\.bn1\.bias' is a float"),
        (lambda _: {"fc.weight": torch.zeros(3)}, r"its first name is fc\.weight"),
        (lambda _: {}, "it contains nothing"),
        (lambda _: [torch.zeros(3)], "it contains a list"),
    ],
)
def test_missing_unknown_or_misshaped_tensors_are_refused(
    tmp_path: Path, change: Callable[[State], object], message: str
) -> None:
    path = saved(tmp_path / "other.pth", change(narrow_plus().state_dict()))
    with pytest.raises(ModelFileError, match=message):
        load_deeplab(path, width=WIDTH)


class Hostile:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, zipped: bool) -> None:
    path = saved(tmp_path / "hostile.pth", {"model_state": Hostile(tmp_path / "made")}, zipped=zipped)
    with pytest.raises(ModelFileError, match=r"asks for \w+\.mkdir, which weights do not need; it was not run"):
        load_deeplab(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_in_a_plain_pickle_is_not_run(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "hostile.pth"
    path.write_bytes(pickle.dumps(Hostile(tmp_path / "made"), protocol=protocol))
    with pytest.raises(ModelFileError, match=r"it was not run|is no PyTorch checkpoint"):
        load_deeplab(path)
    assert not (tmp_path / "made").exists()


def test_a_saved_module_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "module.pth", nn.Linear(2, 2))
    with pytest.raises(ModelFileError, match=r"torch\.nn\.modules\.linear\.Linear, which weights do not need"):
        load_deeplab(path)


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.3, 0.99])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_truncated_file_is_refused(tmp_path: Path, fraction: float, zipped: bool) -> None:
    complete = saved(tmp_path / "complete.pth", narrow_plus().state_dict(), zipped=zipped)
    content = complete.read_bytes()
    path = tmp_path / "part.pth"
    path.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(ModelFileError, match="truncated or damaged"):
        load_deeplab(path, width=WIDTH)


def test_text_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("<html>Quota exceeded</html>")
    for name, message in (("page.pth", "no PyTorch checkpoint"), ("none.pth", "there is none"), ("", "there is none")):
        with pytest.raises(ModelFileError, match=message):
            load_deeplab(tmp_path / name)


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:99"])
def test_a_missing_device_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(SettingsError, match=f"expected cpu.*{device}"):
        load_deeplab(tmp_path / "any.pth", device)


class Redness(nn.Module):
    """Predicts a person where red is above the mean, and class 3 elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.images: torch.Tensor | None = None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.images = images
        logits = torch.zeros(1, 21, *images.shape[-2:])
        logits[:, PERSON_CLASS], logits[:, 3] = images[:, 0], -images[:, 0]
        return logits


def people_by(network: nn.Module, tmp_path: Path, long_side_px: int = 64) -> DeepLabPeople:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    people = DeepLabPeople.__new__(DeepLabPeople)
    people._network, people._long_side_px = TorchNetwork(network, path), long_side_px
    return people


def test_the_input_is_standardised_with_channels_first(tmp_path: Path) -> None:
    network, color = Redness(), np.zeros((96, 128, 3), np.uint8)
    color[..., 0], color[..., 1] = 255, 51
    people_by(network, tmp_path).people_probability(color, 32, 24)
    assert network.images is not None
    assert network.images.shape == (1, 3, 48, 64)
    expected = [(1.0 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, (0.0 - 0.406) / 0.225]
    np.testing.assert_allclose(network.images[0, :, 5, 7].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("long_side_px", [64, 300])
def test_the_person_is_where_its_class_is_the_most_probable(tmp_path: Path, long_side_px: int) -> None:
    color = np.zeros((96, 128, 3), np.uint8)
    color[24:72, 32:64, 0] = 255
    probability = people_by(Redness(), tmp_path, long_side_px).people_probability(color, 64, 48)
    expected = np.zeros((48, 64), dtype=np.bool_)
    expected[12:36, 16:32] = True
    assert probability.shape == (48, 64)
    assert probability.dtype == np.float32
    np.testing.assert_array_equal(probability > 0, expected)
    # softmax of 2.25, -2.25 and 19 zeros
    assert probability[20, 20] == pytest.approx(np.exp(2.249) / (np.exp(2.249) + np.exp(-2.249) + 19), abs=1e-3)


def test_people_from_a_checkpoint_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rehab_pose.silhouette.deeplab_checkpoint.load_deeplab", partial(load_deeplab, width=WIDTH))
    state = narrow_plus().state_dict()
    state["classifier.classifier.3.bias"][PERSON_CLASS] = 1e4
    people = DeepLabPeople(saved(tmp_path / "plus.pth", {"model_state": state}))
    probability = people.people_probability(np.full((120, 160, 3), 99, np.uint8), 80, 60)
    np.testing.assert_allclose(probability, np.ones((60, 80)))
    assert people.model_id.startswith("plus-")


def test_without_pytorch_the_error_advises_its_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rehab_pose.checkpoints", None)
    with pytest.raises(MissingDependencyError, match=r"expected PyTorch.*pip install torch"):
        DeepLabPeople(tmp_path / "plus.pth")


def test_an_image_of_another_shape_or_type_is_refused(tmp_path: Path) -> None:
    people = people_by(Redness(), tmp_path)
    wrong_images: list[NDArray[Any]] = [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ]
    for wrong in wrong_images:
        with pytest.raises(ContractError, match=r"expected colour \(H, W, 3\) uint8"):
            people.people_probability(wrong, 8, 8)
