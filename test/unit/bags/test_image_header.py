"""Sizes that images claim are known before they are decoded."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from rehab_pose.bags.image_header import check_image_size
from rehab_pose.errors import InputError


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(7, 5), (640, 480), (1, 300)])
def test_the_size_is_that_of_the_decoder(ending: str, size: tuple[int, int]) -> None:
    width, height = size
    data = bytes(cv2.imencode(ending, np.zeros((height, width, 3), np.uint8))[1])
    assert check_image_size(data) == size


def test_a_size_that_would_fill_the_memory_is_refused() -> None:
    png = bytearray(cv2.imencode(".png", np.zeros((5, 7), np.uint16))[1])
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    with pytest.raises(InputError, match="its header claims 60000x60000"):
        check_image_size(bytes(png))


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"\xff\xd8\xff\xc0\x00"])
def test_other_content_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="PNG or JPEG"):
        check_image_size(data)
