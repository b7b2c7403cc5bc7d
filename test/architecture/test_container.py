"""The image and the compose example: no root, pinned versions, no network, nothing that is not needed inside."""

from __future__ import annotations

import re
import runpy
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

HOST_ACCESS = re.compile(r"--net(work)?[= ]host|--privileged|--ipc[= ]host|network_mode: host|ipc: host|pid: host")
EXTRAS = ("view", "encryption")
"""Extras of setup.py that the image has."""


@pytest.fixture
def stages(repository: Path) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage of the Dockerfile, as word and rest."""
    text = (repository / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    found: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def values(stage: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for name, rest in stage if name == word]


def test_the_base_and_system_packages_are_pinned(stages: list[list[tuple[str, str]]]) -> None:
    [base] = values(stages[0], "ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", base)
    assert [values(stage, "FROM")[0].split(" AS ")[0] for stage in stages[1:]] == ["${BASE}"] * 2
    for command in values(stages[1], "RUN") + values(stages[2], "RUN"):
        for installed in re.findall(r"apt-get install ([^&]*)", command):
            packages = [word for word in installed.split() if not word.startswith("-")]
            assert packages
            assert all("=" in package for package in packages), packages


def test_packages_have_the_versions_of_the_tests_and_all_that_is_declared(
    repository: Path, stages: list[list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = values(stages[1], "RUN")
    [pattern] = [found[1] for command in commands if (found := re.search(r"grep -E '([^']*)'", command))]
    lines = (repository / "scripts" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if re.search(pattern, line)]
    assert all("==" in line for line in chosen)
    names = {re.split(r"[\[=]", line)[0].lower() for line in chosen}
    monkeypatch.setattr("setuptools.setup", lambda **_: None)
    declared = runpy.run_path(str(repository / "setup.py"))
    needed = [*declared["REQUIREMENTS"], *(name for extra in EXTRAS for name in declared["EXTRAS"][extra])]
    assert {re.split(r"[<>=; \[]", name)[0].lower() for name in needed} <= names
    assert names.isdisjoint({"torch", "ray", "pytest", "hypothesis"})
    for command in commands:
        for installed in re.findall(r"pip install ([^&]*)", command):
            assert "--no-deps" in installed or installed.strip() == "-r /runtime.txt", installed


def test_the_image_runs_without_root_and_with_a_health_check(stages: list[list[tuple[str, str]]]) -> None:
    final = stages[-1]
    words = [word for word, _ in final]
    assert values(final, "USER") == ["10001:10001"]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "RUN" not in words[words.index("USER") :]
    assert "rehab-pose session status" in values(final, "HEALTHCHECK")[0]
    assert not any(word in rest for word, rest in final for word in ("gcc", "build-essential"))


def test_nothing_gives_a_container_the_host(repository: Path) -> None:
    for name in ("Dockerfile", "compose.yaml"):
        assert not HOST_ACCESS.search((repository / name).read_text(encoding="utf-8")), name
    commands = (repository / "docs" / "ros.md").read_text(encoding="utf-8")
    assert not HOST_ACCESS.search(commands)


def test_the_compose_example_has_no_network_and_no_rights(repository: Path) -> None:
    compose: dict[str, Any] = yaml.safe_load((repository / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert {name: service["network_mode"] for name, service in services.items()} == {
        "rehab_pose": "none",
        "camera": "service:rehab_pose",
    }
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "ports" not in service


def test_only_what_the_image_needs_is_sent_to_the_build(repository: Path) -> None:
    lines = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    kept = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    assert all((repository / name).exists() for name in kept)
    for name in (".git", "output", "test", "rehab_pose_lab", ".venv"):
        assert not any(fnmatch(name, pattern) for pattern in kept)
