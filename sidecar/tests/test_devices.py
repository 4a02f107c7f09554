"""What runs on a GPU: no tensor is left behind on the CPU or read where it lies, and the numbers are those of the same
operations on the CPU, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference import room
from sidecar.inference.decode import decode
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.residency import Resident
from sidecar.inference.sampling import Sampler
from sidecar.inference.steering import Steering
from sidecar.model import spread
from sidecar.model.base import find_devices
from sidecar.model.machine import machine_of
from sidecar.native import packed

from .elsewhere import GPU, SECOND, gpu, move
from .support import LAYERS, loaded, make_adapter, residuals, same, switch
from .test_architectures import FAMILIES, ROWS, TARGETS, answers, make

STOPS = frozenset(range(0, 49152, 8))  # so many that answers end one by one
OnCpu = tuple[Path, list[torch.Tensor], list[list[list[int]]]]
SOME = ("qwen3", "gemma2", "gpt_oss", "qwen3_5", "deepseek_v3", "granite_hybrid")
SPREAD = ("gemma2", "gpt_oss", "granite_hybrid")  # blocks that are given masks of two kinds, experts, states of folded tokens


@pytest.fixture(autouse=True)
def unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights in the order of a CPU are for a CPU."""
    monkeypatch.setattr(packed, "is_needed", lambda *_: False)


@pytest.fixture(scope="module", params=[name for name in FAMILIES if name in SOME])
def folder(request: pytest.FixtureRequest, smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(request.param, tmp_path_factory.mktemp("devices") / request.param, smollm2)


@pytest.fixture(scope="module")
def on_cpu(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> OnCpu:
    """An adapter, and what the operations of a GPU record and answer on the CPU."""
    adapter = make_adapter(tmp_path_factory.mktemp("own"), folder, targets=TARGETS.get(folder.name, ("q_proj", "v_proj", "down_proj")))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(packed, "is_needed", lambda *_: False)
        recordings, ids = everything(loaded(folder, "bfloat16"), adapter)
    assert len({len(answer) for answer in ids[0]}) > 1
    return adapter, recordings, ids


def behind_prompts(resident: Resident) -> list[torch.Tensor]:
    """Recordings of answers behind prompts that are kept, first run and then found."""
    start = [*range(100, 112)]
    jobs = [Job([*start, *ids], [2], len(start) + 1) for ids in ROWS]
    found: list[torch.Tensor] = []
    for _ in range(2):
        kept: dict[int, torch.Tensor] = {}
        prefill(resident.base, jobs, lambda row, layer, state: kept.update({row: state}), prompts=resident.prompts)
        found += [kept[row] for row in range(len(jobs))]
    return found


def everything(resident: Resident, adapter: Path) -> tuple[list[torch.Tensor], list[list[list[int]]]]:
    """Recordings and answers of a model: clean, with prompts kept, with an adapter on, and clean again."""
    recordings, ids = residuals(resident, ROWS, [1, LAYERS - 1]), [answers(resident, STOPS, together) for together in (len(ROWS), 2)]
    recordings += behind_prompts(resident)
    ids += [sampled(resident), steered(resident)]
    switch(resident, adapter)
    recordings += residuals(resident, ROWS, [3])
    ids.append(answers(resident, STOPS, 3))
    switch(resident, None)
    return recordings + residuals(resident, ROWS, [3]), ids


def sampled(resident: Resident) -> list[list[int]]:
    base = replace(resident.base, stop_ids=STOPS)
    return decode(base, ROWS, Sampler(range(len(ROWS)), 0.9, 0.8), 12, together=4)


def steered(resident: Resident) -> list[list[int]]:
    additions = torch.randn(2, resident.base.hidden, generator=torch.Generator().manual_seed(0)) * 8
    base = replace(resident.base, stop_ids=STOPS)
    return decode(base, ROWS[:2], Sampler([0, 0], 0, 1), 4, steering=Steering(LAYERS - 2, additions))


def test_a_gpu_records_and_answers_as_the_same_operations_on_a_cpu_do(folder: Path, on_cpu: OnCpu, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, wanted, ids = on_cpu
    resident = loaded(folder, "bfloat16")
    move(resident)
    with gpu(monkeypatch):
        resident._room = room.measured(resident.base, None)
        found, made = everything(resident, adapter)
    assert made == ids
    assert same(found, wanted)


@pytest.mark.parametrize("folder", SPREAD, indirect=True)
def test_a_model_that_is_spread_over_two_gpus_does_as_on_one(folder: Path, on_cpu: OnCpu, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, wanted, ids = on_cpu
    resident = loaded(folder, "bfloat16")
    base = resident.base
    # By bytes, a vocabulary of 49,152 leaves the first device no block of models so small.
    monkeypatch.setattr(spread, "in_runs", lambda sizes, rest, devices: [devices[index * 2 // LAYERS] for index in range(LAYERS)])
    move(resident, spread.places(base.model, base.blocks, (GPU, SECOND), None))
    assert [next(block.parameters()).device for block in base.blocks] == [GPU] * 3 + [SECOND] * 3
    with gpu(monkeypatch):
        spread.carry(base.decoder, base.blocks, GPU)
        resident._room = room.measured(resident.base, None)
        found, made = everything(resident, adapter)
    assert made == ids
    assert same(found, wanted)


def test_what_is_on_the_gpu_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with gpu(monkeypatch):
        assert machine_of(torch.device("cuda")) == {"processor": "a GPU"}


def test_of_several_gpus_the_one_that_a_model_is_on_is_meant_where_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    meant: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: meant.append(device.index))
    found = [tuple(map(str, find_devices(name))) for name in ("cuda:1", "cuda", "cpu", "cuda:1+cuda")]
    assert found == [("cuda:1",), ("cuda:0",), ("cpu",), ("cuda:1", "cuda:0")]
    assert meant == [1, 0, 1]
    with pytest.raises(SidecarError, match="^device 'cuda:2' is not available on this machine$"):
        find_devices("cuda:1+cuda:2")
    for name in ("cuda+cuda:0", "cpu+cuda:0"):
        with pytest.raises(SidecarError, match=f"^device '{name.replace('+', '[+]')}' does not name GPUs, each once$"):
            find_devices(name)
