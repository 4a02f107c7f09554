"""Work is cut to what memory holds, and begun again with less when that was too much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar import dispatch
from sidecar.errors import SidecarError
from sidecar.inference import forward, room
from sidecar.inference.residency import Resident
from sidecar.inference.room import Room
from sidecar.methods import capture
from sidecar.native import memory

from .support import SOME_IDS, loaded, silent, slot_bytes, write_record

CPU = torch.device("cpu")
OUT_OF_MEMORY = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"


def capture_request(out: Path, tmp_path: Path) -> dict[str, Any]:
    groups = [{"id": f"g{n}", "response": write_record(tmp_path, f"r{n}", ids, 2), "layers": [1, 3]} for n, ids in enumerate(SOME_IDS)]
    return {"out": str(out), "groups": groups, "component": "residual", "raw": "keep", "positions": "response"}


def test_the_room_is_what_the_free_memory_holds_and_no_more_than_was_found_out_before(
    resident: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = room.needs_of(resident.base)  # a second probe finds what the first one left in the allocator
    monkeypatch.setattr(room, "needs_of", lambda _: needs)
    found = room.measured(resident.base, None).tokens
    assert found == pytest.approx((memory.free_host_memory() * room.SHARE - needs[CPU].always) / needs[CPU].token, rel=0.05)
    assert room.measured(resident.base, 1000).tokens == 1000


def test_a_token_takes_at_least_its_keys_and_values_in_every_block(resident: Resident) -> None:
    config = resident.base.model.config
    states = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * 4
    assert room.needs_of(resident.base)[CPU].token >= states


def test_what_a_gpu_takes_for_any_pass_at_all_is_not_counted_for_each_token(resident: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    always, token = 470 << 20, 600_000
    seen: list[int] = []

    def taken_by(devices: Sequence[torch.device], work: Callable[[], None]) -> list[int]:
        with monkeypatch.context() as patched:
            patched.setattr(forward, "right_padded", lambda rows, starts, _: seen.append(len(rows[0])) or padded(rows, starts, torch.device("cpu")))
            work()
        return [always + token * seen[-1]]

    padded = forward.right_padded
    monkeypatch.setattr(room, "taken_by", taken_by)
    monkeypatch.setattr(room, "free_memory", lambda device: 40 << 30)
    gpu = torch.device("cuda:0")
    on_gpu = replace(resident.base, devices=(gpu,))
    residuals = 4 * 4 * on_gpu.hidden
    states = room.probe(resident.base, 256)[1][0] // 256
    assert room.needs_of(on_gpu) == {gpu: room.Needs(always, token + residuals, states)}
    assert room.measured(on_gpu, None).tokens == ((20 << 30) - always) // (token + residuals)
    assert room.needs_of(resident.base) == {CPU: room.Needs(0, always // 256 + token + residuals, states)}


def test_rows_that_are_answered_keep_their_keys_and_values_alone_where_there_is_room_for_a_pass() -> None:
    few, many = Room(room.PASS, kept=0.25), Room(3 * room.PASS, kept=0.25)
    assert [few.rows(512), many.rows(512)] == [8, 2 * 4096 // 128]
    assert [Room(3 * room.PASS).rows(512), Room(100).rows(512)] == [24, 1]


def test_work_that_ran_out_of_memory_is_begun_again_with_half_the_room_until_it_fits() -> None:
    tried: list[int] = []
    released: list[int] = []
    space = Room(1000)

    def work() -> dict[str, Any]:
        tried.append(space.tokens)
        if space.tokens > 300:
            raise RuntimeError(OUT_OF_MEMORY)
        return {"files": []}

    assert space.keep_within(work, lambda: released.append(space.tokens)) == {"files": []}
    assert (tried, released, space.tokens) == ([1000, 500, 250], [1000, 500], 250)


def test_when_the_least_is_too_much_the_error_is_told() -> None:
    space = Room(130)

    def work() -> dict[str, Any]:
        raise RuntimeError(OUT_OF_MEMORY)

    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        space.keep_within(work, lambda: None)
    assert space.tokens == 65


def test_another_error_is_not_tried_again() -> None:
    tried: list[int] = []

    def work() -> dict[str, Any]:
        tried.append(1)
        raise SidecarError("bad-input", "no")

    with pytest.raises(SidecarError, match="no"):
        Room(1000).keep_within(work, lambda: None)
    assert tried == [1]


def test_recordings_made_after_memory_ran_out_are_the_same_bytes_and_say_the_room_that_is_left(
    tiny: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident = loaded(tiny)
    resident.room.tokens = 256
    (tmp_path / "whole").mkdir()
    whole = capture.run(capture_request(tmp_path / "whole", tmp_path), resident, silent())
    real = torch.Tensor.to
    left = [1]

    def scarce(self: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        if left[0] > 0 and kwargs.get("copy"):
            left[0] -= 1
            raise RuntimeError(OUT_OF_MEMORY)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(torch.Tensor, "to", scarce)
    cut = dispatch.run("capture", capture_request(out, tmp_path), resident, silent())
    assert cut["token_budget"] == resident.room.tokens == 128
    assert cut["peak_memory_bytes"] > 0
    assert [slot_bytes(out, cell) for cell in cut["cells"]] == [slot_bytes(tmp_path / "whole", cell) for cell in whole["cells"]]


def test_a_control_groups_limit_counts_in_both_of_its_forms(tmp_path: Path) -> None:
    first, second = tmp_path / "v1", tmp_path / "v2"
    for folder, limit, usage in ((first, "memory.limit_in_bytes", "memory.usage_in_bytes"), (second, "memory.max", "memory.current")):
        folder.mkdir()
        (folder / limit).write_text("1000\n")
        (folder / usage).write_text("400\n")
    (first / "memory.stat").write_text("cache 1\ntotal_inactive_file 100\n")
    (second / "memory.stat").write_text("anon 5\ninactive_file 50\n")
    assert [*memory.limit_of(first), *memory.limit_of(second)] == [(1000, 300), (1000, 350)]
    (second / "memory.max").write_text("max\n")
    assert [*memory.limit_of(second)] == []
