"""Every failure becomes one answer of a kind the engine knows."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from sidecar import dispatch, server
from sidecar.errors import SidecarError, is_out_of_memory
from sidecar.protocol import Request
from sidecar.residency import Resident


def answer_to(error: Exception, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The answer when a method raises `error`."""

    def fail(*_: object) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(dispatch, "run", fail)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return server.answer(Request(3, "capture", {}), Resident(), server.Connection(ours))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out-of-memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out-of-memory"),
        (RuntimeError("shapes do not match"), "internal"),
        (AssertionError("a@1: 299 rows for 300 tokens"), "internal"),
        (SidecarError("bad-input", "no"), "bad-input"),
    ],
)
def test_a_failure_has_the_kind_the_engine_acts_on(error: Exception, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = answer_to(error, monkeypatch)
    assert (message["id"], message["error"]["data"]["kind"]) == (3, kind)
    assert ("trace" in message["error"]["data"]) == (kind in ("internal", "out-of-memory"))


def test_torchs_own_error_for_a_full_accelerator_is_known() -> None:
    import torch

    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))


def test_a_real_allocation_that_fails_is_known() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 58)
    assert is_out_of_memory(caught.value)
