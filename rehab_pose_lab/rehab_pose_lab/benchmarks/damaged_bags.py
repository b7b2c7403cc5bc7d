"""Cut and bit-flipped bags in several layouts, a part of `rehab-pose-lab bench faults`."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.recovery import recover_bag
from rehab_pose.bags.writer import BagWriter
from rehab_pose.errors import RehabPoseError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import image_message
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator

__all__ = ["LAYOUTS", "damaged_bag_metrics", "write_bags"]

FRAMES = 20
LABELS_PER_FRAME = 15
CAMERA = CameraIntrinsics(width_px=16, height_px=12, fx=20.0, fy=20.0, cx=7.5, cy=5.5)
FLIPS = (1, 1, 1, 3, 20)
"""Numbers of flipped bits, one is chosen for each bag."""
COMPRESSED = "mcap_zstd"
LAYOUTS = ("own", "mcap", "sqlite3", COMPRESSED)
MAX_LOGGED = 3
"""Tracebacks that are logged."""


@dataclass
class _Count:
    whole: int = 0
    """Messages that lie completely before the cut."""
    read: int = 0
    cut_bags: int = 0
    flipped_bags: int = 0
    refused: int = 0
    tracebacks: list[str] = field(default_factory=list)
    kept: list[float] = field(default_factory=list)
    """Part of the messages that is read of each flipped bag."""


def damaged_bag_metrics(cuts: int, flips: int, log: Callable[[str], None], seed: int = 0) -> dict[str, float]:
    """Return what is read of damaged bags.

    Args:
        cuts: Number of cuts of each layout that is not compressed; of a compressed chunk nothing is whole before its
            end.
        flips: Number of bags with flipped bits of each layout.
        log: Called with a line for each layout.
        seed: Seed of the places.
    """
    count, generator = _Count(), np.random.default_rng(seed)
    with TemporaryDirectory(prefix="rehab_pose_damaged_") as folder:
        bags = write_bags(Path(folder))
        for layout, file in bags.items():
            if layout != COMPRESSED:
                _cut(file, Path(folder), cuts, count)
            _flip(file, Path(folder), flips, count, generator)
            log(f"{layout}: {count.read} of {count.whole} messages before cuts, {len(count.tracebacks)} tracebacks")
    for text in count.tracebacks[:MAX_LOGGED]:
        log(text)
    return {
        "cut_bags": float(count.cut_bags),
        "recovered_pct": 100.0 * count.read / count.whole if count.whole else float("nan"),
        "flipped_bags": float(count.flipped_bags),
        "flipped_refused": float(count.refused),
        "flipped_messages_pct": 100.0 * float(np.mean(count.kept)) if count.kept else float("nan"),
        "bag_tracebacks": float(len(count.tracebacks)),
    }


def write_bags(folder: Path, *, frames: int = FRAMES, labels: int = LABELS_PER_FRAME) -> dict[str, Path]:
    """Write the same recording in each of LAYOUTS; return their files.

    Args:
        folder: Folder of the new bags.
        frames: Number of frames.
        labels: Number of other messages a frame.
    """
    with BagWriter(folder / "own") as bag:
        _write(bag, frames, labels)
    with BagReader(folder / "own") as reader:
        recorded = list(reader.serialized())
    for layout in LAYOUTS[1:]:
        plugin = StoragePlugin.SQLITE3 if layout == "sqlite3" else StoragePlugin.MCAP
        writer = Writer(folder / layout, version=9, storage_plugin=plugin)
        if layout == COMPRESSED:
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with writer:
            connections = {
                topic.name: writer.add_connection(topic.name, topic.type_name, typestore=type_store())
                for topic in {message.topic.name: message.topic for message in recorded}.values()
            }
            for message in recorded:
                writer.write(connections[message.topic.name], message.time_ns, message.data)
    return {
        layout: next(file for file in (folder / layout).iterdir() if file.suffix in {".mcap", ".db3"})
        for layout in LAYOUTS
    }


def _write(bag: BagWriter, frames: int, labels: int) -> None:
    """Write images and labels, each message with content that occurs once."""
    string = type_store().types["std_msgs/msg/String"]
    for index in range(frames):
        stamp_ns = NS_PER_S + index * NS_PER_S // 4
        stamp, generator = header(bag.factory, stamp_ns, "cam"), np.random.default_rng(index)
        bag.write(topics.CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, CAMERA))
        color = generator.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        bag.write(topics.COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", color))
        depth = generator.integers(500, 4000, (12, 16)).astype(np.uint16)
        bag.write(topics.DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
        for part in range(labels):
            name = f"{index:03d}.{part:03d}"
            bag.write(topics.EXERCISE_LABEL, stamp_ns + part, string(data=f"<{name}{'abcdefghij' * 15}{name}>"))


def _cut(file: Path, folder: Path, cuts: int, count: _Count) -> None:
    data = file.read_bytes()
    with BagReader(file) as reader:
        everything = [message.data for message in reader.serialized()]
    path = folder / f"cut{file.suffix}"
    for index in range(cuts):
        part = data[: int(len(data) * (index + 0.5) / cuts)]
        path.write_bytes(part)
        whole = [message for message in everything if message in part]
        count.whole += len(whole)
        count.cut_bags += 1
        found = set(_read(path, folder, count))
        count.read += sum(message in found for message in whole)


def _flip(file: Path, folder: Path, flips: int, count: _Count, generator: Generator) -> None:
    data = file.read_bytes()
    path = folder / f"flipped{file.suffix}"
    expected = FRAMES * (LABELS_PER_FRAME + 3)
    for _ in range(flips):
        damaged = bytearray(data)
        for place in map(int, generator.integers(8 * len(data), size=generator.choice(FLIPS))):
            damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        count.flipped_bags += 1
        messages = _read(path, folder, count)
        count.refused += not messages
        count.kept.append(len(messages) / expected)


def _read(path: Path, folder: Path, count: _Count) -> list[bytes]:
    """Read a bag in all ways; return its serialised messages."""
    messages: list[bytes] = []
    try:
        with BagReader(path) as reader:
            messages = [message.data for message in reader.serialized()]
            for _ in reader.messages():
                pass
            recover_bag(path, folder / f"recovered_{count.cut_bags}_{count.flipped_bags}_{path.suffix[1:]}")
            for _ in reader.frames():
                pass
    except RehabPoseError:
        return messages
    except Exception:  # noqa: BLE001  (this is what is measured)
        count.tracebacks.append(traceback.format_exc())
    return messages
