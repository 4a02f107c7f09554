"""Takes requests from the engine one at a time and answers each once.

A second thread reads, so that the end of the stream is seen while the first works: the engine is gone then, and this
process with it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import socket
import sys
import threading
import time
import traceback
from typing import Any, NoReturn

from . import dispatch
from .errors import SidecarError, is_out_of_memory
from .inference.residency import Resident
from .wire.heartbeat import Heartbeat
from .wire.progress import Progress
from .wire.protocol import FrameError, Request, encode_frame, failure, notification, parse_request, read_frame, success


class Connection:
    """The engine's end as seen from here: frames out, one at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Sends one message. Ends the process when nobody is there to read it."""
        frame = encode_frame(message)
        try:
            with self._lock:
                self._socket.sendall(frame)
        except OSError:
            end(0)

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Sends a notification."""
        self.send(notification(method, params))


def serve(sock: socket.socket) -> NoReturn:
    """Answers requests on `sock` until `shutdown` or the end of the stream, then ends the process."""
    connection = Connection(sock)
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=read_requests, args=(sock, connection, requests), name="reader", daemon=True).start()
    heartbeat = Heartbeat(lambda params: connection.notify("alive", params))
    resident = Resident()
    while True:
        request = requests.get()
        with heartbeat.during(request.id):
            message = answer(request, resident, connection)
        connection.send(message)
        if request.method == "shutdown":
            end(0)


def read_requests(sock: socket.socket, connection: Connection, requests: queue.SimpleQueue[Request]) -> None:
    """The reader thread: queues requests, answers unreadable ones, and ends the process with the stream."""
    while True:
        try:
            body = read_frame(sock.recv)
        except FrameError as error:
            connection.send(failure(None, error))
            with contextlib.suppress(OSError):  # the one who would read it may be gone
                print(f"error: {error}", file=sys.stderr)
            end(1)
        except OSError:
            end(0)
        if body is None:
            end(0)
        try:
            requests.put(parse_request(body))
        except SidecarError as error:
            connection.send(failure(None, error))


def answer(request: Request, resident: Resident, connection: Connection) -> dict[str, Any]:
    """The one answer to `request`; whatever goes wrong in it becomes an error the engine can act on."""
    progress = Progress(request.id, lambda params: connection.notify("progress", params), time.monotonic)
    try:
        result = success(request.id, dispatch.run(request.method, request.params, resident, progress))
        encode_frame(result)
        return result
    except SidecarError as error:
        return failure(request.id, error)
    except Exception as error:
        unforeseen = describe(error)
        trace = traceback.format_exc()
    print(trace, file=sys.stderr)
    # Only now are the failed call's frames gone, and with them its tensors.
    resident.release_cached_memory()
    return failure(request.id, unforeseen, trace)


def describe(error: Exception) -> SidecarError:
    """An error no check foresaw, by the first line of its text; the rest is in its trace."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SidecarError("disk-full", line)
    if is_out_of_memory(error):
        return SidecarError("out-of-memory", line)
    return SidecarError("internal", f"{type(error).__name__}: {line}")


def end(status: int) -> NoReturn:
    """Ends the process now, from any thread, whatever the others are doing. Nothing is flushed: that could wait."""
    os._exit(status)
