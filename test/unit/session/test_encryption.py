"""Encryption of sessions at rest: the files, the commands, and what happens after a crash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from rehab_pose.cli.main import main
from rehab_pose.datatypes import Repetition, Side
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose.session.controller import SessionController
from rehab_pose.session.decryption import decrypt_session
from rehab_pose.session.encryption import encrypt_session, is_encrypted
from rehab_pose.session.file_names import AUDIT_LOG, JOURNAL
from rehab_pose.session.journal import Journal, read_journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.session.report import write_session_report
from rehab_pose.session.settings import SessionSettings
from rehab_pose.session.state import Recording, Tally
from rehab_pose.session.store import delete_expired, list_sessions
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

pyrage = pytest.importorskip("pyrage", reason="the extra `encryption` is not installed")

START_NS = 1_790_000_000 * NS_PER_S
WAIT_S = 60.0


@pytest.fixture
def key(tmp_path: Path) -> tuple[str, Path]:
    """Return a recipient, and the file of its secret key as age-keygen writes it."""
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n", encoding="utf-8")
    return str(identity.to_public()), path


def keep(sessions: Path, name: str = "s1", *, ended: bool = True, recipient: str = "") -> Path:
    """Write a session with a report, a recording and a file that is not ours."""
    folder = sessions / f"p7_{name}"
    (folder / "recording").mkdir(parents=True)
    (folder / "recording" / "recording_0.mcap").write_bytes(b"bag" * 1000)
    (folder / "notes.txt").write_text("of the clinic", encoding="utf-8")
    header = JournalHeader(name, "p7", "squat", encrypt_to=recipient)
    journal = Journal.begin(folder, header, now_ns=lambda: START_NS)
    end_ns = START_NS + NS_PER_S
    done = Repetition(end_ns, "cam", "squat", 1, START_NS, end_ns, "a_m", 0.1, 0.5, 0.5, Side.LEFT)
    journal.add_repetition(done, counted=True)
    journal.add("recording", path="recording", state="started", message="")
    if ended:
        journal.add("end", state="done", message="stopped")
        write_session_report(folder, journal.content)
    journal.close()
    return folder


def wait_for_encryption(controller: SessionController) -> None:
    end_s = time.monotonic() + WAIT_S
    while controller.encrypting and time.monotonic() < end_s:
        controller.check(stage_running=True)
        time.sleep(0.05)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_files_of_ours_are_encrypted_and_come_back_as_they_were(tmp_path: Path, key: tuple[str, Path]) -> None:
    folder = keep(tmp_path / "sessions")
    before = contents(folder)
    count, others = encrypt_session(folder, key[0])
    assert (count, others) == (len(before) - 1, ["notes.txt"])
    names = set(contents(folder))
    assert names == {name if name == "notes.txt" else f"{name}.age" for name in before}
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in names - {"notes.txt"})
    assert not any(b"squat" in content for content in contents(folder).values())
    assert is_encrypted(folder)
    assert encrypt_session(folder, key[0]) == (0, [])
    output = tmp_path / "plain"
    assert decrypt_session(folder, key[1], output) == count
    assert contents(output) == before
    assert output.stat().st_mode & 0o077 == 0
    assert (output / JOURNAL).stat().st_mode & 0o077 == 0
    with pytest.raises(RecordingError, match="exists already"):
        decrypt_session(folder, key[1], output)
    assert contents(output) == before


def test_an_interrupted_encryption_loses_nothing_and_goes_on(
    tmp_path: Path, key: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep(tmp_path / "sessions")
    before = contents(folder)

    class Failing:
        """The library on a disk that gets full at the third file."""

        x25519, files = pyrage.x25519, 0

        @classmethod
        def encrypt_file(cls, source: str, target: str, keys: list[object]) -> None:
            cls.files += 1
            if cls.files == 3:
                raise OSError(28, "No space left on device", target)
            pyrage.encrypt_file(source, target, keys)

    with monkeypatch.context() as patched:
        patched.setattr("rehab_pose.session.encryption.age_library", lambda: Failing)
        with pytest.raises(RecordingError, match="No space left"):
            encrypt_session(folder, key[0])
    assert (folder / JOURNAL).is_file()
    assert not is_encrypted(folder)
    assert not list(folder.rglob("*.new"))
    assert read_journal(folder).ended
    encrypt_session(folder, key[0])
    decrypt_session(folder, key[1], tmp_path / "plain")
    assert contents(tmp_path / "plain") == before


def test_other_keys_and_damaged_files_give_a_sentence_and_leave_nothing(tmp_path: Path, key: tuple[str, Path]) -> None:
    folder = keep(tmp_path / "sessions")
    encrypt_session(folder, key[0])
    other = tmp_path / "other.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()), encoding="utf-8")
    output = tmp_path / "plain"
    with pytest.raises(RecordingError, match="expected the key of the session's recipient"):
        decrypt_session(folder, other, output)
    damaged = folder / "recording" / "recording_0.mcap.age"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    with pytest.raises(RecordingError, match="is damaged"):
        decrypt_session(folder, key[1], output)
    assert not output.exists()
    for text, words in (("", "found none"), ("AGE-SECRET-KEY-1XYZ", "AGE-SECRET-KEY")):
        other.write_text(text, encoding="utf-8")
        assert main(["session", "decrypt", folder.name, "--identity", str(other), "-o", str(output)]) == 2, words


def test_running_and_unfinished_sessions_are_not_encrypted(tmp_path: Path, key: tuple[str, Path]) -> None:
    folder = keep(tmp_path / "sessions", ended=False)
    before = contents(folder)
    with pytest.raises(RecordingError, match="has no end"):
        encrypt_session(folder, key[0])
    journal = Journal.resume(folder)
    with pytest.raises(RecordingError, match="running in another process"):
        encrypt_session(folder, key[0])
    journal.close()
    assert contents(folder) == before


def test_a_wrong_recipient_is_refused_and_a_secret_key_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, key: tuple[str, Path]
) -> None:
    with pytest.raises(SettingsError, match=r"expected a recipient of age .*, got 'age1xyz'"):
        SessionSettings(encrypt_to="age1xyz")
    secret = str(pyrage.x25519.Identity.generate())
    with pytest.raises(SettingsError, match="got a secret key") as error:
        SessionSettings(encrypt_to=secret)
    assert secret[20:] not in str(error.value)
    assert SessionSettings(encrypt_to=key[0]).encrypt_to == key[0]

    def no_module(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", no_module)
    assert SessionSettings().encrypt_to == ""
    with pytest.raises(ImportError, match=r"pip install 'rehab_pose\[encryption\]'"):
        SessionSettings(encrypt_to=key[0])


def test_commands_say_that_a_session_is_encrypted(
    tmp_path: Path, key: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = tmp_path / "sessions"
    folder = keep(sessions)
    place = ["--folder", str(sessions)]
    assert main(["session", "encrypt", str(folder), "--to", key[0]]) == 0
    assert "stay plain, because rehab-pose did not make them: notes.txt" in capsys.readouterr().out
    assert main(["session", "list", *place]) == 0
    printed = capsys.readouterr()
    assert "encrypted" in printed.out
    assert printed.err == ""
    for action in (["show", "p7_s1"], ["export", "p7_s1", "-o", str(tmp_path / "o")]):
        assert main(["session", *action, *place]) == 2
        assert "rehab-pose session decrypt p7_s1 --identity KEY -o DIR" in capsys.readouterr().err
    plain = tmp_path / "plain" / "p7_s1"
    words = ["--identity", str(key[1]), "-o", str(plain), *place]
    assert main(["session", "decrypt", "p7_s1", *words]) == 0
    assert main(["session", "show", "p7_s1", "--folder", str(plain.parent)]) == 0
    assert '"action": "decrypt"' in (sessions / AUDIT_LOG).read_text(encoding="utf-8")


def test_encrypted_sessions_expire_by_their_start_and_can_be_deleted(tmp_path: Path, key: tuple[str, Path]) -> None:
    for name in ("s1", "s2"):
        encrypt_session(keep(tmp_path, name), key[0])
    day_ns = 86400 * NS_PER_S
    assert delete_expired(tmp_path, 5, START_NS + 4 * day_ns) == []
    assert delete_expired(tmp_path, 5, START_NS + 6 * day_ns) == ["p7_s1", "p7_s2"]
    encrypt_session(keep(tmp_path, "s3"), key[0])
    assert main(["session", "delete", "p7_s3", "--yes", "--folder", str(tmp_path)]) == 0
    assert list_sessions(tmp_path) == []


def test_repair_encrypts_a_session_that_asked_for_it(
    tmp_path: Path, key: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = keep(tmp_path, ended=False, recipient=key[0])
    assert main(["session", "repair", str(folder)]) == 0
    assert "files were encrypted" in capsys.readouterr().out
    assert is_encrypted(folder)


def test_a_session_is_encrypted_after_its_end_and_an_interrupted_encryption_at_the_next_start(
    tmp_path: Path, key: tuple[str, Path]
) -> None:
    earlier = keep(tmp_path, "earlier", recipient=key[0])
    settings = SessionSettings(folder=str(tmp_path), encrypt_to=key[0], min_free_mb=1.0)
    errors: list[str] = []
    recording = Mock()
    controller = SessionController(settings, recording, lambda _: None, errors.append)
    controller.continue_or_end()
    controller.start("new", "p8", Tally("squat"), Recording.NOTHING, 0)
    folder = tmp_path / "p8_new"
    assert (folder / JOURNAL).is_file()
    assert controller.stop("stopped")
    wait_for_encryption(controller)
    assert is_encrypted(folder), errors
    assert is_encrypted(earlier), errors
    assert errors == []


def test_a_failed_encryption_is_reported(tmp_path: Path, key: tuple[str, Path]) -> None:
    errors: list[str] = []
    settings = SessionSettings(folder=str(tmp_path), encrypt_to=key[0], min_free_mb=1.0)
    controller = SessionController(settings, Mock(), lambda _: None, errors.append)
    controller.start("new", "p8", Tally("squat"), Recording.NOTHING, 0)
    (tmp_path / "p8_new" / f".{JOURNAL}.age.new").mkdir()  # in the way of the encrypted journal
    assert controller.stop("stopped")
    wait_for_encryption(controller)
    assert len(errors) == 1
    assert "was not encrypted: rehab-pose session: session encrypt: " in errors[0]
    assert read_journal(tmp_path / "p8_new").ended
