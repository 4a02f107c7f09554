"""A model that is spread over several GPUs: each has a run of blocks, and every part of it has one place."""

from __future__ import annotations

import gc
import weakref
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference import room
from sidecar.inference.residency import Resident
from sidecar.model.base import device_map, load_whole
from sidecar.model.spread import carry, in_runs

from .support import LAYERS, loaded
from .test_architectures import FAMILIES, make

CPU = torch.device("cpu")
GPUS = tuple(torch.device("cuda", index) for index in range(3))


def runs(sizes: list[float], before: float, count: int) -> list[int]:
    """How many blocks each device has."""
    found = in_runs(sizes, before, GPUS[:count])
    assert found == sorted(found, key=str)
    return [found.count(device) for device in GPUS[:count]]


def test_devices_have_about_the_same_bytes_and_the_first_what_is_no_block() -> None:
    assert runs([1.0] * 8, 2, 2) == [3, 5]
    assert runs([1.0] * 9, 0, 3) == [3, 3, 3]
    assert runs([1.0] * 4, 12, 2) == [0, 4]
    # Llama 3.3 70B: 80 blocks of 0.856 billion numbers, embedding and unembedding 2.1 billion; in bfloat16 and in nf4.
    assert runs([0.856 * 2] * 80, 2.1 * 2, 2) == [39, 41]
    assert runs([0.856 * 0.5625] * 80, 2.1 * 2, 2) == [36, 44]


@pytest.mark.parametrize("family", ["qwen3", "gemma3_with_eyes", "gpt2", "phi3", "qwen3_5", "deepseek_v3", "granite_hybrid"])
def test_every_part_of_a_model_has_one_place_and_is_loaded(family: str, smollm2: Path, tmp_path: Path) -> None:
    folder = make(family, tmp_path / family, smollm2)
    wanted = loaded(folder, "float32").base.model
    found, _, _ = load_whole(str(folder), "float32", (CPU, CPU), None)
    assert {name: tensor.tolist() for name, tensor in found.state_dict().items()} == {name: tensor.tolist() for name, tensor in wanted.state_dict().items()}
    places = device_map(found.config, torch.float32, GPUS, None)
    for name, _ in [*wanted.named_parameters(), *wanted.named_buffers()]:
        assert len([part for part in places if name == part or name.startswith(f"{part}.")]) == 1, name


def test_what_cannot_be_spread_is_refused(smollm2: Path, tmp_path: Path) -> None:
    config = loaded(make("qwen3", tmp_path / "qwen3", smollm2)).base.model.config
    seven = tuple(torch.device("cuda", index) for index in range(LAYERS + 1))
    with pytest.raises(SidecarError, match="^its 6 blocks cannot be spread over 7 devices$"):
        device_map(config, torch.float32, seven, None)
    shared = loaded(make("gemma4", tmp_path / "gemma4", smollm2)).base.model.config
    with pytest.raises(SidecarError, match="^architecture 'gemma4_text' reads keys and values of one block in another: it cannot be spread over devices$"):
        device_map(shared, torch.float32, GPUS, None)


def test_the_fullest_device_decides_how_much_is_worked_on_at_once(resident: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    base = replace(resident.base, devices=GPUS[:2])
    needs = {GPUS[0]: room.Needs(0, 2000, 500), GPUS[1]: room.Needs(1 << 20, 1000, 400)}
    monkeypatch.setattr(room, "needs_of", lambda _: needs)
    monkeypatch.setattr(room, "free_memory", lambda device: {GPUS[0]: 160 << 20, GPUS[1]: 42 << 20}[device])
    found = room.measured(base, None)
    assert found.tokens == (20 << 20) // 1000
    assert found.rows(100) == int((found.tokens - room.PASS) / (100 * 0.4))


class Block(torch.nn.Module):
    """Hands on what it is given; a block on `meta` stands for one on another device."""

    def __init__(self, device: str, seen: list[tuple[str, bool, Any]]) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1, device=device))
        self._seen = seen

    def forward(self, hidden: torch.Tensor, angles: tuple[torch.Tensor, torch.Tensor], cache: dict[str, torch.Tensor]) -> torch.Tensor:
        self._seen.append((hidden.device.type, cache["kept"].device.type == "cpu", weakref.ref(angles[1])))
        if len(self._seen) == 3:
            raise ValueError("deep enough")
        return hidden


class Decoder(torch.nn.Module):
    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(blocks)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            hidden = block(hidden, angles=(mask, mask), cache={"kept": mask})
        return hidden


def test_what_all_blocks_read_is_carried_once_and_forgotten_after_the_pass_which_may_end_early() -> None:
    seen: list[tuple[str, bool, Any]] = []
    decoder, mask = Decoder([Block(device, seen) for device in ("cpu", "meta", "meta", "meta")]), torch.zeros(2)
    carry(decoder, list(decoder.blocks), CPU)
    with suppress(ValueError):
        decoder(torch.zeros(2), mask)
    first, second, third = seen
    assert [place for place, _, _ in seen] == ["cpu", "meta", "meta"]
    assert all(cache_stays for _, cache_stays, _ in seen)
    assert first[2]() is mask
    assert second[2] is third[2]
    gc.collect()
    assert second[2]() is None
