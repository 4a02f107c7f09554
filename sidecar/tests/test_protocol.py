"""Whatever arrives on the wire, the reader says what is wrong and never guesses where a frame begins."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import pytest

from sidecar.errors import SidecarError
from sidecar.wire.progress import Progress
from sidecar.wire.protocol import MAX_FRAME, FrameError, encode_frame, failure, parse_request, read_frame, success


def drip(data: bytes, size: int) -> Any:
    """A `receive` that gives at most `size` bytes at a time."""
    stream = io.BytesIO(data)
    return lambda length: stream.read(min(length, size))


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_frames_survive_any_way_the_bytes_arrive(size: int) -> None:
    messages: list[dict[str, Any]] = [{"text": "häßlich ☃ " * 50}, {}, {"n": list(range(500))}]
    receive = drip(b"".join(encode_frame(message) for message in messages), size)
    assert [json.loads(read_frame(receive) or b"") for _ in messages] == messages
    assert read_frame(receive) is None


def test_an_oversized_prefix_is_refused_before_anything_is_read() -> None:
    with pytest.raises(FrameError, match="2147483647 bytes is announced, the limit is 67108864"):
        read_frame(drip(struct.pack(">I", 2**31 - 1), 4))


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"\0\0", "inside a frame's length: 2 of 4"), (b"\0\0\0\x0a{}", "inside a frame: 2 of 10"), (b"\0\0\0\x01", "inside a frame: 0 of 1")],
)
def test_a_stream_that_ends_inside_a_frame_is_an_error_and_not_an_end(data: bytes, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        read_frame(drip(data, 100))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\xff\xfe garbage", "not UTF-8 JSON"),
        (b"", "not UTF-8 JSON"),
        (b"[" * 100_000, "not UTF-8 JSON"),
        (b"[1]", "not a JSON-RPC 2.0 object"),
        (b'{"id":1,"method":"hello"}', "not a JSON-RPC 2.0 object"),
        (b'{"jsonrpc":"2.0","method":"hello"}', "no id"),
        (b'{"jsonrpc":"2.0","id":true,"method":"hello"}', "no id"),
        (b'{"jsonrpc":"2.0","id":1}', "needs a method name"),
        (b'{"jsonrpc":"2.0","id":1,"method":"hello","params":[1]}', "an object of params"),
    ],
)
def test_a_frame_that_is_no_request_is_explained(body: bytes, message: str) -> None:
    with pytest.raises(SidecarError, match=message) as caught:
        parse_request(body)
    assert caught.value.kind == "protocol"


def test_an_answer_over_the_limit_is_refused_on_this_side() -> None:
    with pytest.raises(FrameError, match="ask for fewer cells"):
        encode_frame({"text": "x" * MAX_FRAME})


def test_numbers_json_does_not_have_are_never_sent() -> None:
    with pytest.raises(ValueError):
        encode_frame({"score": float("nan")})


def test_an_error_names_its_kind_and_the_damaged_digest() -> None:
    assert failure(7, SidecarError("corrupt", "gone", "ab" * 32)) == {
        "jsonrpc": "2.0",
        "id": 7,
        "error": {"code": -32001, "message": "gone", "data": {"kind": "corrupt", "digest": "ab" * 32}},
    }
    assert success("x", {"a": 1}) == {"jsonrpc": "2.0", "id": "x", "result": {"a": 1}}


def test_progress_is_told_at_most_ten_times_a_second() -> None:
    told: list[dict[str, Any]] = []
    now = [0.0]
    progress = Progress(4, told.append, lambda: now[0])
    progress.expect(1000)
    for step in range(1000):
        now[0] = step / 1000
        progress.advance(done=1, tokens=5)
    assert len(told) == 10
    assert told[0] == {"request": 4, "done": 1, "total": 1000, "tokens": 5}
    assert told[-1]["tokens"] == 5 * told[-1]["done"]
