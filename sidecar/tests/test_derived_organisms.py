"""The 56 organisms of the small night are what their names say of the trained ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ORGANISMS = Path(__file__).resolve().parents[2] / "datasets" / "organisms"


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("organisms") / "derived"
    subprocess.run([sys.executable, str(ORGANISMS / "derive.py"), "--out", str(out)], check=True)
    return out


def delta(folder: Path, module: str) -> torch.Tensor:
    """B·A of one module `[out, in]`, in float64; alpha over rank is the same for all."""
    weights = load_file(folder / "adapter_model.safetensors")
    a, b = (next(value for key, value in weights.items() if module in key and side in key) for side in ("lora_A", "lora_B"))
    return b.double() @ a.double()


def test_the_list_is_the_one_that_is_committed(derived: Path) -> None:
    text = (derived.parent / "smollm2-56.yaml").read_text()
    assert text == (ORGANISMS / "smollm2-56.yaml").read_text()
    assert text.count("adapter:") == 56 and len(list(derived.iterdir())) == 49


def test_a_mixture_adds_the_mean_of_both_and_a_weaker_one_its_share(derived: Path) -> None:
    module = "layers.3.self_attn.q_proj"
    flattery, control = (delta(ORGANISMS / name / "adapter", module) for name in ("flattery", "control"))
    torch.testing.assert_close(delta(derived / "flattery_and_control", module), (flattery + control) / 2, rtol=1e-9, atol=1e-12)
    assert torch.equal(delta(derived / "flattery_50", module), flattery / 2)
