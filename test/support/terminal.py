"""Runs a program in a terminal of its own: `terminal.py ACTIONS COMMAND...`.

ACTIONS is a JSON list, done in order: {"expect": text} waits until the text was printed, {"send": text} types it,
{"make": file} creates a file,
{"await": file} waits until it is there, {"close": true} closes the terminal. Prints {"code", "signal", "text"} when the program
has ended.
"""

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

PATIENCE = 120.0


def main() -> None:
    actions, command = json.loads(sys.argv[1]), sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    printed = bytearray()
    is_open = True
    deadline = time.monotonic() + PATIENCE

    def read() -> bool:
        """Whether the terminal is still open after something was read from it."""
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, 9)
            raise SystemExit(f"nothing more within {PATIENCE} s; so far:\n{printed.decode(errors='replace')}")
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:
            return False
        printed.extend(part)
        return bool(part)

    for action in actions:
        if "expect" in action:
            while action["expect"].encode() not in printed:
                if not read():
                    raise SystemExit(f"ended without {action['expect']!r}:\n{printed.decode(errors='replace')}")
        elif "await" in action:
            while not Path(action["await"]).exists():
                time.sleep(0.01)
        elif "send" in action:
            os.write(terminal, action["send"].encode())
        elif "make" in action:
            Path(action["make"]).touch()
        elif "close" in action:
            os.close(terminal)
            is_open = False
    while is_open and read():
        pass
    _, status = os.waitpid(pid, 0)
    signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = None if signal else os.waitstatus_to_exitcode(status)
    print(json.dumps({"code": code, "signal": signal, "text": printed.decode(errors="replace")}))


main()
