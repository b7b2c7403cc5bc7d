"""Facts in more than one file agree: topics, messages, packages, versions."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
import yaml

from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import full_name
from rehab_pose.messages.topics import Delivery, Topic

if TYPE_CHECKING:
    from pathlib import Path


PACKAGES = {".": "rehab_pose", **{name: name for name in ("rehab_pose_msgs", "rehab_pose_sim", "rehab_pose_lab")}}
"""Folder and name of each package."""


@pytest.mark.parametrize("folder", PACKAGES)
def test_the_manifests_say_format_3_and_their_schema(repository: Path, folder: str) -> None:
    text = (repository / folder / "package.xml").read_text()
    assert "<?xml-model" in text, "without it colcon does not notice mistakes in the manifest"
    root = ET.fromstring(text)  # noqa: S314  (our own file)
    assert root.get("format") == "3"
    assert root.findtext("license") == "Apache-2.0"
    assert len(root.findall("export/build_type")) == 1


def test_versions_agree(repository: Path) -> None:
    import rehab_pose  # noqa: PLC0415

    for folder in PACKAGES:
        root = ET.parse(repository / folder / "package.xml")  # noqa: S314  (our own file)
        assert root.findtext("version") == rehab_pose.__version__
    for folder in (".", "rehab_pose_sim", "rehab_pose_lab"):
        assert f'version="{rehab_pose.__version__}"' in (repository / folder / "setup.py").read_text()
    assert f'version = "{rehab_pose.__version__}"' in (repository / "rehab_pose_msgs" / "pyproject.toml").read_text()


def test_every_interface_is_built(repository: Path) -> None:
    folder = repository / "rehab_pose_msgs"
    listed = set(re.findall(r'"((?:msg|srv|action)/\w+\.\w+)"', (folder / "CMakeLists.txt").read_text()))
    files = {str(file.relative_to(folder)) for kind in ("msg", "srv", "action") for file in folder.glob(f"{kind}/*")}
    assert listed == files


def test_every_field_of_a_message_is_explained(repository: Path) -> None:
    plain = {"std_msgs/Header header", "uint8 state", "uint8 format"}
    for file in (repository / "rehab_pose_msgs" / "msg").glob("*.msg"):
        for line in file.read_text().splitlines():
            declaration, _, comment = line.partition("#")
            constant = "=" in declaration
            known = not declaration.strip() or constant or declaration.strip() in plain
            assert known or comment.strip(), f"{file.name}: {line}"


def test_latched_topics_are_latched_in_replay(repository: Path) -> None:
    content = yaml.safe_load((repository / "config" / "replay_qos.yaml").read_text())
    latched = {
        full_name(topic)
        for topic in vars(topics).values()
        if isinstance(topic, Topic) and topic.delivery in {Delivery.LATCHED, Delivery.EVENT}
    }
    assert set(content) - {"/tf_static"} == latched
    assert all(entry["durability"] == "transient_local" for entry in content.values())


def test_each_camera_names_its_three_topics(repository: Path) -> None:
    files = sorted((repository / "config" / "cameras").glob("*.yaml"))
    assert [file.stem for file in files] == ["azure_kinect", "kinect_v2", "oak", "realsense", "zed"]
    for file in files:
        content = yaml.safe_load(file.read_text())
        assert set(content) == {"color", "camera_info", "depth"}
        assert all(name.startswith("/") for name in content.values())


def test_colcon_finds_all_packages(repository: Path) -> None:
    content = yaml.safe_load((repository / "colcon_defaults.yaml").read_text())
    for verb in ("build", "test", "list", "graph", "info"):
        assert content[verb]["base-paths"] == list(PACKAGES)
