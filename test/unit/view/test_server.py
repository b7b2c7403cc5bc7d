"""The server: who gets in, what is sent, and a port that is used."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.errors import SettingsError
from rehab_pose.view.commands import StopCommand
from rehab_pose.view.hub import Hub, Part, Payload
from rehab_pose.view.server import ViewServer, free_port
from rehab_pose.view.settings import ViewSettings
from rehab_pose.view.wire import decode_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehab_pose.view.commands import Command

pytest.importorskip("starlette", reason="the extra `view` is not installed")
websockets = pytest.importorskip("websockets.sync.client", reason="the extra `view` is not installed")


class Receiver:
    def __init__(self) -> None:
        self.received: list[Command] = []
        self.arrived = threading.Event()

    def command(self, command: Command) -> None:
        self.received.append(command)
        self.arrived.set()


class Served:
    def __init__(self, *, image: bool = True) -> None:
        self.hub, self.receiver = Hub(image=image), Receiver()
        self.server = ViewServer(self.hub, self.receiver, ViewSettings(port=0))
        self.port = self.server.access.port
        self.host = f"127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", path, headers={"Host": self.host, **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def connect(self, *, token: str = "", origin: str = "") -> Any:  # noqa: ANN401  (websockets is not typed here)
        token = token or self.server.access.token
        return websockets.connect(f"ws://{self.host}/state?token={token}", origin=origin or f"http://{self.host}")


@pytest.fixture
def served() -> Iterator[Served]:
    one = Served()
    yield one
    one.server.close()


def test_the_token_opens_the_page_and_moves_into_a_cookie(served: Served) -> None:
    token = served.server.access.token
    assert token in served.server.url
    assert served.get("/").status == 403
    assert served.get("/static/page.js").status == 403
    assert served.get("/?token=wrong").status == 403
    answer = served.get(f"/?token={token}")
    assert (answer.status, answer.getheader("Location")) == (303, "/")
    cookie, _, flags = str(answer.getheader("Set-Cookie")).partition(";")
    assert "HttpOnly" in flags
    assert "SameSite=strict" in flags
    page = served.get("/", Cookie=cookie)
    assert page.status == 200
    assert "script-src 'self'" in str(page.getheader("Content-Security-Policy"))
    assert "unsafe" not in str(page.getheader("Content-Security-Policy"))
    for path in ("/patient", "/static/page.js", "/static/vendor/three.min.js", "/icon.svg"):
        assert served.get(path, Cookie=cookie).status == 200, path
    assert served.get(f"//example.org/?token={token}").getheader("Location") == "/example.org/"


def test_other_names_and_other_pages_are_refused(served: Served) -> None:
    token = served.server.access.token
    assert served.get(f"/?token={token}", Host=f"evil.example:{served.port}").status == 403
    assert served.get(f"/?token={token}", Host="127.0.0.1:1").status == 403
    assert served.get(f"/?token={token}", Host=f"localhost:{served.port}").status == 303
    for arguments in ({"origin": "http://evil.example"}, {"token": "wrong"}):
        with pytest.raises(websockets.InvalidStatus):
            served.connect(**arguments)


def test_a_page_gets_the_newest_state_and_its_commands_arrive(served: Served) -> None:
    served.hub.publish({"joints": Part({"stamp_ms": 1}), "image": Part({}, Payload(lambda: b"jpeg"))})
    with served.connect() as socket:
        number, contents, payloads = decode_message(socket.recv(5))
        assert contents["joints"] == {"stamp_ms": 1}
        assert not payloads, "the image was not asked for"
        socket.send(json.dumps({"acknowledge": number}))
        socket.send(json.dumps({"show": ["image"]}))
        assert decode_message(socket.recv(5))[2] == {"image": b"jpeg"}
        socket.send("[not a command")
        assert "expected a JSON object" in decode_message(socket.recv(5))[1]["refusal"]["words"]
        socket.send(json.dumps({"command": "stop"}))
        assert served.receiver.arrived.wait(5)
    assert served.receiver.received == [StopCommand()]


def test_a_page_that_does_not_acknowledge_gets_no_more(served: Served) -> None:
    with served.connect() as socket:
        for stamp_ms in range(6):
            served.hub.publish({"joints": Part({"stamp_ms": stamp_ms})})
            try:
                number = decode_message(socket.recv(0.3))[0]
            except TimeoutError:
                break
        assert number == 2
        socket.send(json.dumps({"acknowledge": number}))
        assert decode_message(socket.recv(5))[1]["joints"]["stamp_ms"] == stamp_ms


def test_in_privacy_mode_no_image_is_sent() -> None:
    one = Served(image=False)
    try:
        with one.connect() as socket:
            socket.send(json.dumps({"show": ["image"]}))
            one.hub.publish({"image": Part({}, Payload(lambda: b"jpeg")), "joints": Part({})})
            contents: dict[str, Any] = {}
            while "joints" not in contents:
                number, contents, payloads = decode_message(socket.recv(5))
                socket.send(json.dumps({"acknowledge": number}))
                assert not payloads
    finally:
        one.server.close()


def test_a_port_that_is_used_gives_a_sentence(served: Served) -> None:
    with pytest.raises(SettingsError, match="choose another port with --port"):
        free_port(ViewSettings(port=served.port))
    with pytest.raises(SettingsError, match="cannot be used"):
        free_port(ViewSettings(host="192.0.2.1", port=0))
