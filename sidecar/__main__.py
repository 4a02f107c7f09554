"""`python -m sidecar`, started by the engine with one end of a socket pair as file descriptor 3."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import stat
import sys
import warnings

from .native import cpu

ENGINE_SOCKET = 3
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> int:
    """Serves the engine until it shuts the sidecar down or is gone. 2 when not started by an engine."""
    # Credentials are for downloads, which are not made here.
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        os.environ.pop(name, None)
    # What libraries plan for their own next versions tells the user of a run nothing.
    warnings.simplefilter("ignore", FutureWarning)
    # In a container that allows less than the machine has, threads for all of it would wait for each other most of the time.
    if cpu.cores() < cpu.runnable():
        os.environ.setdefault("OMP_NUM_THREADS", str(cpu.cores()))
    die_with_parent()
    # These reach the whole group from a terminal or a batch system; when this process stops is the engine's to decide.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if not is_socket(ENGINE_SOCKET):
        print("error: file descriptor 3 is not a socket; the sidecar is started by the engine", file=sys.stderr)
        return 2
    connection = socket.socket(fileno=ENGINE_SOCKET)
    connection.set_inheritable(False)
    connection.setblocking(True)
    from .server import serve

    serve(connection)
    return 0


def die_with_parent() -> None:
    """Ends this process with the engine, even while it is busy or holds the interpreter's lock.

    The request is for the parent at this moment: one that died before it is seen by comparing the parent's pid with
    the one the engine passed in `DAG_ENGINE_PID`.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    engine = os.environ.get("DAG_ENGINE_PID")
    if engine is not None and engine != str(os.getppid()):
        os._exit(0)


def is_socket(descriptor: int) -> bool:
    """Whether `descriptor` is open and a socket."""
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
