"""What is loaded is never looked through for garbage, and is gone all the same when another takes its place."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch

from sidecar.errors import SidecarError
from sidecar.inference.residency import Resident
from sidecar.model.machine import instructions
from sidecar.native import cpu
from sidecar.tests.support import loaded


def test_a_loaded_base_is_no_business_of_the_collector(tiny: Path) -> None:
    resident = loaded(tiny)
    assert gc.isenabled() and gc.get_freeze_count() > 0
    assert not any(thing is resident.base.model for thing in gc.get_objects())


def test_a_loaded_base_says_what_it_computes_on(tiny: Path) -> None:
    said = Resident().load_base({"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": None})["machine"]
    processor = cpu.processor()
    assert said.pop("processor", None) == processor
    assert said == {"instructions": instructions(), "threads": torch.get_num_threads()}


def test_a_base_is_gone_when_another_takes_its_place(tiny: Path) -> None:
    resident = loaded(tiny)
    resident.base.model.itself = [resident.base.model]  # what only the collector can undo
    former = weakref.ref(resident.base.model)
    resident.load_base({"path": str(tiny), "dtype": "float32", "device": "cpu", "quantization": None})
    assert former() is None


def test_after_a_base_that_cannot_be_loaded_there_is_none_and_the_collector_works(tiny: Path, tmp_path: Path) -> None:
    resident = loaded(tiny)
    with pytest.raises(SidecarError):
        resident.load_base({"path": str(tmp_path), "dtype": "float32", "device": "cpu", "quantization": None})
    assert gc.isenabled()
    with pytest.raises(SidecarError, match="no base model is loaded"):
        _ = resident.base
