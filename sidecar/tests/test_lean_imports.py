"""A base comes without the packages that no forward pass needs, and they are there for whoever asks afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .engine import ROOT
from .support import edit_adapter, make_adapter

NEEDLESS = ("torch._dynamo", "torch.distributed.tensor", "torch.distributed.checkpoint", "scipy", "bitsandbytes")
START = "import sys\nfrom sidecar.model.base import load_base\nbase = load_base(sys.argv[1], 'float32', 'cpu', None)\n"


def told_by(story: str, model: Path) -> str:
    """What a new process prints."""
    done = subprocess.run([sys.executable, "-c", story, str(model)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_no_work_on_a_base_imports_what_it_does_not_need(tiny: Path, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", tiny)
    story = f"""{START}
from sidecar.model.adapter import attach, detach
from sidecar.inference.decode import decode
from sidecar.inference.prefill import Job, prefill
from sidecar.inference.sampling import Sampler
import torch
detach(base.model)
attach(base.model, {str(adapter)!r}, "float32")
answers = decode(base, [[1, 2, 3], [4, 5]], Sampler([0, 1], 0, 1), 3)
with torch.inference_mode():
    prefill(base, [Job([1, 2, 3], (1,), 1)], lambda index, layer, state: None)
print(len(answers), [name for name in {NEEDLESS!r} if name in sys.modules])
"""
    assert told_by(story, tiny) == "2 []"


def test_what_was_left_out_is_there_afterwards(tiny: Path) -> None:
    story = f"""{START}
import scipy, torch
import torch.distributed.tensor
import torch._dynamo.config
from transformers.masking_utils import TransformGetItemToIndex
with TransformGetItemToIndex():
    compiled = torch.compile(lambda x: x + 1, backend="eager")(torch.ones(2))
print(compiled.tolist(), torch.distributed.is_available(), torch._dynamo.__file__ is not None)
"""
    assert told_by(story, tiny) == "[2.0, 2.0] True True"


@pytest.mark.parametrize("first", ["transformers", "sidecar.inference.cache", "transformers.modeling_utils", "peft"])
def test_after_a_whole_import_a_base_and_an_adapter_come_as_they_always_did(tiny: Path, tmp_path: Path, first: str) -> None:
    adapter = make_adapter(tmp_path / "adapter", tiny)
    story = f"import {first}\n{START}from sidecar.model.adapter import attach\nattach(base.model, {str(adapter)!r}, 'float32')\nprint('fine')"
    assert told_by(story, tiny) == "fine"


def test_who_asks_for_more_than_the_stand_in_has_gets_the_real_package() -> None:
    story = """
import sys
from sidecar.model.lean_imports import lean_imports
with lean_imports():
    import torch._dynamo
    standing_in = torch._dynamo.disable(len) is len and not hasattr(sys.modules["torch._dynamo"], "__file__")
    import torch._dynamo.config
    from torch._dynamo import reset
print(standing_in, reset.__module__, torch._dynamo.config.__name__)
"""
    assert told_by(story, Path()) == "True torch._dynamo torch._dynamo.config"


def test_what_is_there_already_stays() -> None:
    story = """
import sys
import scipy, torch, torch._dynamo
from sidecar.model.lean_imports import lean_imports
before = sys.modules["torch._dynamo"]
with lean_imports():
    import scipy.linalg
    print(sys.modules["torch._dynamo"] is before)
print(sys.modules["torch._dynamo"] is before)
"""
    assert told_by(story, Path()).split() == ["True", "True"]


def test_a_base_of_four_bits_takes_adapters_after_one_of_whole_weights_took_and_refused_some(tiny: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    adapter = make_adapter(tmp_path / "adapter", tiny)
    other = edit_adapter(adapter, tmp_path / "other", target_modules=["absent"])
    story = f"""{START}
from sidecar.errors import SidecarError
from sidecar.model import quantized
from sidecar.model.adapter import attach
attach(base.model, {str(adapter)!r}, "float32")
try:
    attach(base.model, {str(other)!r}, "float32")
except SidecarError:
    print("refused", end=" ")
quantized.RUN_ON = ("cpu",)
small = load_base(sys.argv[1], "float32", "cpu", "nf4")
attach(small.model, {str(adapter)!r}, "float32")
query = small.model.model.layers[0].self_attn.q_proj
print(type(query).__module__, type(query).__name__)
"""
    assert told_by(story, tiny) == "refused peft.tuners.lora.bnb Linear4bit"
