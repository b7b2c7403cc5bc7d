"""The state that pages show: newest versions only, costly parts on request, and no image in privacy mode."""

from __future__ import annotations

from rehab_pose.view.hub import Hub, Part, Payload
from rehab_pose.view.wire import ALIGNMENT, decode_message, encode_message


def nothing() -> None:
    pass


def joints(stamp_ms: int) -> dict[str, Part]:
    return {"joints": Part({"stamp_ms": stamp_ms})}


def test_a_slow_page_gets_the_newest_state_and_its_skipped_frames_are_counted() -> None:
    hub = Hub()
    page = hub.connect(nothing)
    hub.publish(joints(0))
    assert hub.take(page)["joints"].content == {"stamp_ms": 0}
    for stamp_ms in (1, 2, 3):
        hub.publish(joints(stamp_ms))
    assert hub.take(page)["joints"].content == {"stamp_ms": 3}
    assert (page.sent_frames, page.skipped_frames, hub.frames) == (2, 2, 4)
    assert hub.take(page) == {}


def test_costly_parts_go_only_to_pages_that_show_them() -> None:
    hub = Hub()
    encoded: list[str] = []

    def encode() -> bytes:
        encoded.append("mesh")
        return b"mesh"

    page, other = hub.connect(nothing), hub.connect(nothing)
    hub.want(page, frozenset({"mesh", "unknown"}))
    hub.publish({"mesh": Part({}, Payload(encode)), **joints(0)})
    assert set(hub.take(page)) == {"privacy", "mesh", "joints"}
    assert set(hub.take(other)) == {"privacy", "joints"}
    assert hub.wanted() == {"mesh"}
    assert not encoded, "nothing is encoded before it is sent"
    hub.disconnect(page)
    assert hub.wanted() == frozenset()


def test_without_images_none_is_kept_even_if_a_source_and_a_page_ask_for_it() -> None:
    hub = Hub(image=False)
    page = hub.connect(nothing)
    hub.want(page, frozenset({"image"}))
    hub.publish({"image": Part({}, Payload(lambda: b"picture")), **joints(0)})
    taken = hub.take(page)
    assert "image" not in taken
    assert taken["privacy"].content == {"image": False}
    assert hub.wanted() == frozenset()


def test_every_change_wakes_every_page() -> None:
    hub, woken = Hub(), []
    hub.connect(lambda: woken.append("first"))
    hub.connect(lambda: woken.append("second"))
    hub.publish(joints(0))
    assert woken == ["first", "second"]


def test_messages_are_read_back_and_their_payloads_are_aligned() -> None:
    parts = {
        "a": Part({"words": "Größe"}, Payload(lambda: b"12345")),
        "b": Part({"x": None}),
        "c": Part({}, Payload(lambda: b"678")),
    }
    data = encode_message(7, parts)
    number, contents, payloads = decode_message(data)
    assert (number, contents["a"]["words"], contents["b"]) == (7, "Größe", {"x": None})
    assert payloads == {"a": b"12345", "c": b"678"}
    assert data.index(b"12345") % ALIGNMENT == 0
    assert data.index(b"678") % ALIGNMENT == 0
