"""The real process: it answers quickly, explains bad frames, and is gone when its engine is."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .engine import PATIENCE, ROOT, START, Sidecar, environment, frame
from .support import write_tensor

# An engine that starts the sidecar on the socket it inherited, says its pid and waits.
ENGINE = f"""
import os, subprocess, sys
command = [sys.executable, "-c", {START!r}, sys.argv[1]]
child = subprocess.Popen(command, pass_fds=[int(sys.argv[1])], env={{**os.environ, "DAG_ENGINE_PID": str(os.getpid())}})
print(child.pid, flush=True)
child.wait()
"""


def load(sidecar: Sidecar, model: Path) -> None:
    sidecar.call("load_base", path=str(model), dtype="float32", device="cpu", quantization=None)


def endless(out: Path) -> dict[str, object]:
    """A request that takes far longer than a test waits."""
    cells = [{"id": f"c{index}", "prompt": "Count.", "system_prompt": None, "seed": index} for index in range(24)]
    return {"out": str(out), "cells": cells, "max_new_tokens": 450, "temperature": 1.0, "top_p": 0.9, "together": 24}


def test_hello_tells_who_and_where_before_anything_heavy_is_imported() -> None:
    with Sidecar() as sidecar:
        answer = sidecar.call("hello", protocol=1)
        assert (answer["protocol"], answer["pid"]) == (1, sidecar.process.pid)
        assert answer["device"] in ("cpu", "cuda", "mps") and answer["memory_bytes"] > 1 << 28
        assert {"python", "torch", "transformers", "peft"} <= set(answer["versions"])
        mapped = Path(f"/proc/{sidecar.process.pid}/maps").read_text()
        assert "libtorch" not in mapped and "numpy" not in mapped


def test_another_protocol_version_is_refused() -> None:
    with Sidecar() as sidecar:
        assert sidecar.error("hello", protocol=2)["data"]["kind"] == "protocol"


def test_shutdown_answers_and_then_ends() -> None:
    with Sidecar() as sidecar:
        assert sidecar.call("shutdown") == {}
        assert (sidecar.receive(), sidecar.ended()) == (None, 0)


def test_a_method_that_is_not_there_is_an_error_and_the_next_request_works() -> None:
    with Sidecar() as sidecar:
        error = sidecar.error("eval", code="1")
        assert (error["data"]["kind"], error["message"]) == ("protocol", "there is no method 'eval'")
        assert sidecar.call("hello", protocol=1)["protocol"] == 1


def test_garbage_in_a_whole_frame_is_an_error_and_the_next_request_works() -> None:
    with Sidecar() as sidecar:
        sidecar.send(struct.pack(">I", 5) + b"\xff{[}\0")
        message = sidecar.answer()
        assert (message["id"], message["error"]["data"]["kind"]) == (None, "protocol")
        assert sidecar.call("hello", protocol=1)["protocol"] == 1


@pytest.mark.parametrize("length", [(1 << 26) + 1, 2**31, 2**32 - 1])
def test_an_oversized_prefix_is_explained_and_ends_the_process(length: int) -> None:
    with Sidecar() as sidecar:
        sidecar.send(struct.pack(">I", length) + b"{}")
        message = sidecar.answer()
        assert message["error"]["data"]["kind"] == "protocol"
        assert f"{length} bytes is announced" in message["error"]["message"]
        assert (sidecar.receive(), sidecar.ended()) == (None, 1)


def test_half_a_frame_and_then_the_end_ends_the_process_with_a_word() -> None:
    with Sidecar() as sidecar:
        sidecar.send(frame({"jsonrpc": "2.0"})[:9])
        sidecar.socket.shutdown(socket.SHUT_WR)
        assert sidecar.ended() == 1
        assert "the stream ended inside a frame" in sidecar.output()


def test_a_wrong_parameter_reaches_the_engine_as_bad_input() -> None:
    with Sidecar() as sidecar:
        error = sidecar.error("set_adapter", adapter=None)
        assert (error["code"], error["data"]) == (-32602, {"kind": "bad-input"})


def test_a_corrupt_input_reaches_the_engine_with_its_digest(tmp_path: Path) -> None:
    import torch

    ref = {**write_tensor(tmp_path, "a", torch.ones(2, 4)), "digest": "0" * 64}
    item = [{"ref": ref, "labels": {}}]
    with Sidecar() as sidecar:
        cells = [{"id": "c", "activation": 0, "vector": 0, "offset": 0}]
        error = sidecar.error("project", out=str(tmp_path), labels={}, activations=item, vectors=item, cells=cells)
        assert error["data"] == {"kind": "corrupt", "digest": "0" * 64}


def test_the_end_of_the_stream_ends_the_process_during_work(tiny: Path, out: Path) -> None:
    with Sidecar() as sidecar:
        load(sidecar, tiny)
        sidecar.request("generate", endless(out))
        while (message := sidecar.receive()) is not None and message["method"] != "progress":
            assert message["method"] == "alive"
        sidecar.socket.close()
        closed = time.monotonic()
        assert sidecar.ended() == 0
        assert time.monotonic() - closed < 5
        assert list(out.iterdir()) == []


def test_the_death_of_the_engine_ends_the_process_though_its_socket_stays_open(tiny: Path, out: Path) -> None:
    ours, theirs = socket.socketpair()
    with (
        ours,
        theirs,
        subprocess.Popen(
            [sys.executable, "-c", ENGINE, str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True
        ) as engine,
    ):
        assert engine.stdout is not None
        pid = int(engine.stdout.readline())
        ours.settimeout(PATIENCE)
        ours.sendall(frame({"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}}))
        assert ours.recv(4)
        watched = os.pidfd_open(pid)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        assert wait_for_end(watched)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_terminal_or_a_batch_system_sends_to_the_group_does_not_end_the_sidecar(sent: signal.Signals) -> None:
    with Sidecar() as sidecar:
        sidecar.call("hello", protocol=1)
        sidecar.process.send_signal(sent)
        assert sidecar.call("hello", protocol=1)["protocol"] == 1


def test_a_sidecar_whose_engine_died_before_it_was_ready_ends_at_once() -> None:
    with Sidecar(DAG_ENGINE_PID="1") as sidecar:
        assert (sidecar.receive(), sidecar.ended()) == (None, 0)


def test_without_an_engines_socket_it_says_so() -> None:
    found = subprocess.run([sys.executable, "-m", "sidecar"], cwd=ROOT, env=environment(), capture_output=True, text=True, close_fds=True)
    assert found.returncode == 2
    assert found.stderr == "error: file descriptor 3 is not a socket; the sidecar is started by the engine\n"


def test_a_token_in_the_environment_reaches_no_output(tmp_path: Path) -> None:
    with Sidecar(HF_TOKEN="hf_canary") as sidecar:
        error = sidecar.error("load_base", path=str(tmp_path), dtype="float32", device="cpu", quantization=None)
        assert "hf_canary" not in str(error)
        sidecar.call("shutdown")
        assert "hf_canary" not in sidecar.output()


def wait_for_end(pidfd: int) -> bool:
    """Whether the process behind `pidfd` ends while a test may wait."""
    import select

    readable, _, _ = select.select([pidfd], [], [], PATIENCE)
    os.close(pidfd)
    return bool(readable)
