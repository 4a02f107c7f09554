"""Frames and JSON-RPC messages, as `docs/sidecar-protocol.md` fixes them.

A frame is a 4-byte big-endian length and that many bytes of UTF-8 JSON.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import Kind, SidecarError

VERSION = 1
MAX_FRAME = 64 * 1024 * 1024
PREFIX = struct.Struct(">I")

# JSON-RPC's own codes where one fits, the range it leaves to servers for the rest.
CODES: dict[Kind, int] = {
    "protocol": -32600,
    "bad-input": -32602,
    "internal": -32603,
    "corrupt": -32001,
    "out-of-memory": -32002,
    "disk-full": -32003,
}


class FrameError(SidecarError):
    """The stream no longer shows where a frame begins: nothing more can be read from it."""

    def __init__(self, message: str) -> None:
        super().__init__("protocol", message)


@dataclass(frozen=True)
class Request:
    """One call. `id` is what the answer carries back."""

    id: int | str
    method: str
    params: dict[str, Any]


def read_frame(receive: Callable[[int], bytes]) -> bytes | None:
    """The next frame's body, or None at the end of the stream.

    `receive(n)` gives at most n bytes and b"" at the end, like `socket.recv`. Raises FrameError when the stream ends
    inside a frame or announces one over the limit; nothing is allocated for such a frame.
    """
    prefix = read_exactly(receive, PREFIX.size)
    if not prefix:
        return None
    if len(prefix) < PREFIX.size:
        raise FrameError(f"the stream ended inside a frame's length: {len(prefix)} of {PREFIX.size} bytes")
    (length,) = PREFIX.unpack(prefix)
    if length > MAX_FRAME:
        raise FrameError(f"a frame of {length} bytes is announced, the limit is {MAX_FRAME}")
    body = read_exactly(receive, length)
    if len(body) < length:
        raise FrameError(f"the stream ended inside a frame: {len(body)} of {length} bytes")
    return bytes(body)


def read_exactly(receive: Callable[[int], bytes], length: int) -> bytearray:
    """Up to `length` bytes; fewer only when the stream ends."""
    got = bytearray()
    while len(got) < length:
        part = receive(min(length - len(got), 1 << 20))
        if not part:
            break
        got += part
    return got


def encode_frame(message: dict[str, Any]) -> bytes:
    """`message` as a frame. Raises FrameError when it is too long, ValueError for NaN or infinity."""
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
    if len(body) > MAX_FRAME:
        raise FrameError(f"the answer takes {len(body)} bytes, the limit is {MAX_FRAME}: ask for fewer cells at once")
    return PREFIX.pack(len(body)) + body


def parse_request(body: bytes) -> Request:
    """The request in a frame's body. Raises SidecarError of kind `protocol` saying what is wrong with it."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SidecarError("protocol", f"a frame is not UTF-8 JSON: {error}") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise SidecarError("protocol", "a frame is not a JSON-RPC 2.0 object")
    identity, method, params = message.get("id"), message.get("method"), message.get("params", {})
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        raise SidecarError("protocol", "a request has no id (a number or a string)")
    if not isinstance(method, str) or not isinstance(params, dict):
        raise SidecarError("protocol", "a request needs a method name and an object of params")
    return Request(identity, method, params)


def success(identity: int | str, result: dict[str, Any]) -> dict[str, Any]:
    """The answer to the request `identity`."""
    return {"jsonrpc": "2.0", "id": identity, "result": result}


def failure(identity: int | str | None, error: SidecarError, trace: str | None = None) -> dict[str, Any]:
    """The error answer; `identity` is None when the request could not be read."""
    data: dict[str, Any] = {"kind": error.kind}
    if error.digest is not None:
        data["digest"] = error.digest
    if trace is not None:
        data["trace"] = trace
    return {"jsonrpc": "2.0", "id": identity, "error": {"code": CODES[error.kind], "message": str(error), "data": data}}


def notification(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A message without an answer: `progress` or `log`."""
    return {"jsonrpc": "2.0", "method": method, "params": params}
