"""ResidualNetwork: strides, dilations and the identity of blocks."""

from __future__ import annotations

import pytest
import torch

from rehab_pose.residual_network import BasicBlock, Bottleneck, ResidualNetwork, StageLayout


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
@pytest.mark.parametrize(("strides", "stride"), [((1, 2, 2, 2), 32), ((1, 2, 2, 1), 16), ((1, 2, 1, 1), 8)])
def test_features_have_the_product_of_the_strides(
    block: type[BasicBlock | Bottleneck], strides: tuple[int, ...], stride: int
) -> None:
    stages = [StageLayout(2, step, 1, 1 if step == 2 else 2) for step in strides]
    network = ResidualNetwork(block, stages, 4).eval()
    low, deep = network(torch.rand(1, 3, 64, 96))
    assert low.shape == (1, 4 * block.expansion, 16, 24)
    assert deep.shape == (1, 32 * block.expansion, 64 // stride, 96 // stride)


@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_a_block_with_zero_residual_is_the_rectified_identity(dilation: int) -> None:
    for block, last in ((BasicBlock(8, 8, 1, dilation), "bn2"), (Bottleneck(8, 2, 1, dilation), "bn3")):
        block.eval()
        torch.nn.init.zeros_(block.get_parameter(f"{last}.weight"))
        assert block.downsample is None
        x = torch.randn(1, 8, 9, 9)
        torch.testing.assert_close(block(x), torch.relu(x))


def test_dilation_is_the_reach_of_a_block() -> None:
    torch.manual_seed(0)
    block = Bottleneck(128, 32, 1, 3).eval()
    x = torch.rand(1, 128, 21, 21)
    changed = x.clone()
    changed[0, :, 10, 10] += 1.0
    rows = (block(x) != block(changed)).any(dim=1)[0].any(dim=1).nonzero().flatten()
    assert rows.tolist() == [7, 10, 13]
