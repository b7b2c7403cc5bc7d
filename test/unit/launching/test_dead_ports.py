"""Ports of ended programs are kept from restarted ones; those of running programs and other domains are left alone."""

from __future__ import annotations

import fcntl
from typing import TYPE_CHECKING

import pytest

from rehab_pose.launching.dead_ports import MAX_KEPT, DeadPorts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOMAIN_3 = {"ROS_DOMAIN_ID": "3"}
DOMAIN_3_PORT = 8161


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[DeadPorts]:
    kept = DeadPorts(tmp_path)
    yield kept
    kept.close()


def is_free(path: Path) -> bool:
    """Return whether a new program could take a port."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def lock_file(folder: Path, port: int, prefix: str = "fastdds") -> Path:
    path = folder / f"{prefix}_port{port}_el"
    path.touch()
    return path


@pytest.mark.parametrize("prefix", ["fastdds", "fastrtps"])
def test_the_port_of_an_ended_program_is_kept_until_the_end(tmp_path: Path, ports: DeadPorts, prefix: str) -> None:
    path = lock_file(tmp_path, DOMAIN_3_PORT, prefix)
    assert is_free(path)
    assert ports.keep(DOMAIN_3) == 1
    assert not is_free(path)
    assert ports.keep(DOMAIN_3) == 1, "a kept port is not kept twice"
    ports.close()
    assert is_free(path)


def test_the_port_of_a_running_program_stays_its_own(tmp_path: Path, ports: DeadPorts) -> None:
    path = lock_file(tmp_path, DOMAIN_3_PORT)
    with path.open() as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        assert ports.keep(DOMAIN_3) == 0
    assert is_free(path)


@pytest.mark.parametrize("name", ["fastdds_port8411_el", "fastdds_port7899_el", "fastdds_port8161", "port8161_el"])
def test_ports_of_other_domains_and_other_files_are_left_alone(tmp_path: Path, ports: DeadPorts, name: str) -> None:
    (tmp_path / name).touch()
    assert ports.keep(DOMAIN_3) == 0
    assert is_free(tmp_path / name)


@pytest.mark.parametrize("environment", [{}, {"ROS_DOMAIN_ID": ""}, {"ROS_DOMAIN_ID": "0"}])
def test_without_a_domain_it_is_number_zero(tmp_path: Path, ports: DeadPorts, environment: dict[str, str]) -> None:
    lock_file(tmp_path, 7411)
    assert ports.keep(environment) == 1


def test_the_oldest_ports_are_given_back_when_there_are_too_many(tmp_path: Path, ports: DeadPorts) -> None:
    oldest = lock_file(tmp_path, DOMAIN_3_PORT)
    ports.keep(DOMAIN_3)
    newer = [lock_file(tmp_path, DOMAIN_3_PORT + 2 * number) for number in range(1, MAX_KEPT + 1)]
    assert ports.keep(DOMAIN_3) == MAX_KEPT
    assert is_free(oldest)
    assert not any(is_free(path) for path in newer)


def test_without_shared_memory_nothing_is_kept(tmp_path: Path) -> None:
    assert DeadPorts(tmp_path / "missing").keep(DOMAIN_3) == 0
