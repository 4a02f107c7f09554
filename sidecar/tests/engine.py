"""The engine's side of the protocol, for tests of the real process."""

from __future__ import annotations

import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]
# Puts the inherited descriptor in place as fd 3, closes the original, and becomes the sidecar.
START = """
import os, sys
fd = int(sys.argv[1])
if fd != 3:
    os.dup2(fd, 3)
    os.close(fd)
os.set_inheritable(3, True)
os.execv(sys.executable, [sys.executable, "-m", "sidecar"])
"""
PATIENCE = 60.0  # seconds until a process that should have answered or ended counts as hanging


def environment(**changes: str) -> dict[str, str]:
    """This process's environment with the engine's additions."""
    return {**os.environ, "DAG_ENGINE_PID": str(os.getpid()), **changes}


class Sidecar:
    """A running `python -m sidecar` and the engine's end of its socket."""

    def __init__(self, **changes: str) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(PATIENCE)
        command = [sys.executable, "-c", START, str(theirs.fileno())]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**changes), pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        theirs.close()
        self.notifications: list[dict[str, Any]] = []
        self._next = 0

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def request(self, method: str, params: Mapping[str, Any]) -> int:
        """Sends a request and returns its id."""
        self._next += 1
        self.send(frame({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params}))
        return self._next

    def receive(self) -> dict[str, Any] | None:
        """The next message, None at the end of the stream."""
        prefix = self._exactly(4)
        if not prefix:
            return None
        message: dict[str, Any] = json.loads(self._exactly(struct.unpack(">I", prefix)[0]))
        return message

    def answer(self) -> dict[str, Any]:
        """The next message that is not a notification."""
        while True:
            message = self.receive()
            assert message is not None, self.output()
            if "id" in message:
                return message
            self.notifications.append(message)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a request that must succeed."""
        identity = self.request(method, params)
        message = self.answer()
        assert message["id"] == identity and "result" in message, message
        result: dict[str, Any] = message["result"]
        return result

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        """The error of a request that must fail."""
        identity = self.request(method, params)
        message = self.answer()
        assert message["id"] == identity and "error" in message, message
        error: dict[str, Any] = message["error"]
        return error

    def output(self) -> str:
        """What the process wrote for people, once it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read().decode()

    def ended(self) -> int:
        """The exit status of a process that should be ending."""
        return self.process.wait(PATIENCE)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            try:
                part = self.socket.recv(length - len(data))
            except ConnectionResetError:  # the other end closed with bytes of ours unread
                part = b""
            if not part:
                assert not data, "the sidecar's stream ended inside a frame"
                return b""
            data += part
        return data

    def __enter__(self) -> Sidecar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def frame(message: Mapping[str, Any]) -> bytes:
    """`message` as a frame."""
    body = json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body
