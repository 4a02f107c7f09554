"""The kernels compute what torch computes, for every size they are used with, and stay out of the way elsewhere."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import LlamaConfig
from transformers.models.cohere.modeling_cohere import CohereLayerNorm
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.granitemoehybrid.modeling_granitemoehybrid import GraniteMoeHybridRMSNormGated
from transformers.models.llama.modeling_llama import LlamaMLP, LlamaRMSNorm, apply_rotary_pos_emb

from sidecar.inference.cache import empty_cache
from sidecar.inference.decode import left_padded, run
from sidecar.inference.residency import Resident
from sidecar.native import kernels
from sidecar.native.fused import fuse
from sidecar.native.packed import pack, with_beside

from .support import LAYERS, loaded, relative
from .test_architectures import ROWS, assert_recordings_in_half_precision, make, plain

pytestmark = pytest.mark.skipif(kernels.library() is None, reason="kernels.c is not compiled here: no gcc, or no AVX2")

SIZES = [(1, 16), (5, 576), (300, 4096)]
WIDEST = 12_288  # of Command R+: so wide that the mean of random numbers is as good as 0


def numbers(*shape: int, scale: float = 1.0) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))) * scale).bfloat16()


def last_bits(found: torch.Tensor | None, wanted: torch.Tensor) -> float:
    """The largest distance, in units of the last place of the wanted number."""
    assert found is not None and found.dtype == wanted.dtype and found.shape == wanted.shape
    unit = torch.ldexp(torch.ones(()).expand(wanted.shape), torch.frexp(wanted.float()).exponent - 8)
    return float(((found.float() - wanted.float()).abs() / unit).max())


@pytest.mark.parametrize(("rows", "width"), SIZES)
def test_a_norm_is_transformers_norm(rows: int, width: int) -> None:
    norm = LlamaRMSNorm(width, eps=1e-5).bfloat16()
    norm.weight.data = numbers(width)
    x = numbers(rows, 2, width, scale=30)
    with torch.inference_mode():
        assert last_bits(kernels.rms_norm(x, norm.weight, 1e-5), norm(x)) <= 2


@pytest.mark.parametrize(("rows", "width"), SIZES)
def test_a_gate_is_torchs_silu(rows: int, width: int) -> None:
    both = numbers(rows, 2, 2 * width, scale=20)
    gate, up = both.split(width, dim=-1)
    assert last_bits(kernels.gated(both), functional.silu(gate) * up) <= 2


def test_a_gate_holds_at_the_ends_of_its_range() -> None:
    gate = torch.tensor([0.0, -0.0, 87.0, -87.0, -90.0, 200.0, -200.0, 3e38, float("inf"), float("nan")] + [1.0] * 6).bfloat16()
    found = kernels.gated(torch.cat([gate, torch.ones(16).bfloat16()]))
    torch.testing.assert_close(found, functional.silu(gate), rtol=2**-7, atol=1e-35, equal_nan=True)


@pytest.mark.parametrize("rank", [1, 8, 61])
@pytest.mark.parametrize("rows", [1, 32, 64, 65])
def test_factors_beside_weights_add_what_torch_adds(rows: int, rank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [nn.Linear(48, 32), nn.Linear(48, 16)]
    model = nn.ModuleDict(dict(zip(("gate_proj", "up_proj"), layers, strict=True))).bfloat16()
    pack(model)
    torch.manual_seed(0)
    beside = with_beside(layers, [None, (torch.randn(rank, 48) / 7, torch.randn(16, rank))])
    x = numbers(rows, 48, scale=3)
    found = [layer(x) for layer in beside]
    monkeypatch.setattr(kernels, "library", lambda: None)
    wanted = [layer(x) for layer in beside]
    assert torch.equal(found[0], wanted[0])
    torch.testing.assert_close(found[1], wanted[1], rtol=2**-7, atol=2**-5)


def test_without_kernels_torch_does_the_same(smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, tokens = [[1, 100 + at, 5000, 300, *range(40, 50 + at)] for at in range(5)], [7, 8, 9, 10, 11]
    with_kernels = loaded(smollm2, "bfloat16")
    found = next_logits(with_kernels, rows, tokens)
    monkeypatch.setattr(kernels, "library", lambda: None)
    without = loaded(smollm2, "bfloat16")
    wanted = next_logits(without, rows, tokens)
    assert relative(found, wanted) < 0.03  # what `verify --recompute` takes for drift in bfloat16
    assert not any("forward" in vars(module) for module in without.base.model.modules())


@pytest.mark.parametrize("angles", [1, 3])
def test_a_rotation_is_transformers_rotation_to_the_bit(angles: int) -> None:
    query, key = numbers(3, 7, 4, 64).transpose(1, 2), numbers(3, 7, 2, 64).transpose(1, 2)
    cosine, sine = numbers(angles, 7, 64), numbers(angles, 7, 64, scale=0.7)
    wanted = apply_rotary_pos_emb(query, key, cosine, sine)
    for found, states in zip((kernels.rotated(query, cosine, sine), kernels.rotated(key, cosine, sine)), wanted, strict=True):
        assert found is not None and torch.equal(found, states)


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("width", [64, 128, 192])
@pytest.mark.parametrize("tokens", [1, 15, 16, 90])
def test_attention_is_the_exact_one_rounded_once(heads: int, width: int, tokens: int) -> None:
    rows, groups = 3, 2
    query = numbers(rows, groups * heads, 1, width, scale=2)
    key, value = (numbers(rows, groups, tokens + 5, width + at, scale=1 + at)[:, :, :tokens, :width] for at in (0, 1))
    key, value = (states.contiguous() for states in (key, value))
    mask = torch.rand(rows, 1, 1, tokens, generator=torch.Generator().manual_seed(0)) < 0.7
    mask[..., -1] = True
    for seen in (None, mask):
        found = kernels.attend(query, key, value, seen, width**-0.5)
        exact = functional.scaled_dot_product_attention(query.double(), key.double(), value.double(), seen, enable_gqa=True)
        assert found is not None
        torch.testing.assert_close(found.double(), exact.transpose(1, 2), rtol=2**-8, atol=2e-5)


def test_attention_reads_no_token_behind_the_last_one() -> None:
    key, value = numbers(2, 2, 30, 64), numbers(2, 2, 30, 64)
    query, wanted = numbers(2, 4, 1, 64), key[:, :, :20].contiguous()
    clean = kernels.attend(query, wanted, value[:, :, :20].contiguous(), None, 0.125)
    key[:, :, 20:] = value[:, :, 20:] = float("nan")
    found = kernels.attend(query, key[:, :, :20], value[:, :, :20], None, 0.125)
    assert found is not None and clean is not None and torch.equal(found, clean)


def test_what_is_not_finite_stays_so() -> None:
    x = numbers(2, 32)
    x[1, 3] = float("nan")
    for found in (kernels.rms_norm(x, torch.ones(32).bfloat16(), 1e-5), kernels.gated(x)):
        assert found is not None and torch.isfinite(found[0]).all() and torch.isnan(found[1]).any()
    states = numbers(2, 1, 4, 64)
    broken = states.clone()
    broken[1, 0, 2, 5] = float("nan")
    for key, value in ((broken, states), (states, broken)):
        found = kernels.attend(numbers(2, 1, 1, 64), key, value, None, 1.0)
        assert found is not None and torch.isfinite(found[0]).all() and torch.isnan(found[1]).any()


@pytest.mark.parametrize(
    "found",
    [
        lambda: kernels.rms_norm(torch.ones(2, 32), torch.ones(32), 1e-5),
        lambda: kernels.rms_norm(numbers(2, 30), numbers(30), 1e-5),
        lambda: kernels.gated(numbers(2, 24)),
        lambda: kernels.rotated(numbers(2, 2, 3, 48), numbers(2, 3, 48), numbers(2, 3, 48)),
        lambda: kernels.rotated(numbers(2, 2, 3, 64), numbers(2, 3, 32), numbers(2, 3, 32)),
        lambda: kernels.attend(numbers(1, 2, 1, 96), numbers(1, 2, 5, 96), numbers(1, 2, 5, 96), None, 1.0),
        lambda: kernels.attend(numbers(1, 2, 1, 64), numbers(1, 2, 5, 64).float(), numbers(1, 2, 5, 64).float(), None, 1.0),
        lambda: kernels.attend(numbers(1, 2, 1, 64), numbers(1, 2, 5, 64), numbers(1, 2, 5, 64), torch.zeros(1, 1, 1, 5), 1.0),
    ],
)
def test_other_numbers_are_left_to_torch(found: Any) -> None:
    assert found() is None


def test_a_norm_of_another_kind_is_left_alone() -> None:
    model = nn.ModuleList([LlamaRMSNorm(32), GemmaRMSNorm(32)]).bfloat16()
    for norm in model:
        norm.weight.data = numbers(32)
    fuse(model, torch.bfloat16)
    assert ["forward" in vars(norm) for norm in model] == [True, False]


def test_a_wide_norm_that_takes_the_mean_off_or_is_made_of_parts_is_left_alone() -> None:
    parts = GraniteMoeHybridRMSNormGated(2 * WIDEST, WIDEST)
    model = nn.ModuleList([LlamaRMSNorm(WIDEST), CohereLayerNorm(WIDEST), nn.LayerNorm(WIDEST, bias=False), parts]).bfloat16()
    fuse(model, torch.bfloat16)
    assert ["forward" in vars(norm) for norm in model] == [True, False, False, False]


def test_a_norm_that_is_given_a_gate_computes_with_it() -> None:
    norm = GraniteMoeHybridRMSNormGated(32, 32).bfloat16()
    x, gate = numbers(3, 1, 32), numbers(3, 1, 32)
    with torch.inference_mode():
        wanted = norm(x, gate)
        fuse(norm, torch.bfloat16)
        assert "forward" in vars(norm) and torch.equal(norm(x, gate), wanted)


def test_a_model_of_another_dtype_is_left_alone(smollm2: Path) -> None:
    for dtype in ("float32", "float16"):
        assert not any("forward" in vars(module) for module in loaded(smollm2, dtype).base.model.modules())


def test_a_gate_of_a_width_that_no_kernel_takes_is_torchs() -> None:
    mlp = LlamaMLP(LlamaConfig(hidden_size=32, intermediate_size=24)).bfloat16()
    pack(mlp)
    x = numbers(3, 1, 32)
    with torch.inference_mode():
        wanted = mlp(x)
        fuse(mlp, torch.bfloat16)
        assert torch.equal(mlp(x), wanted)


# Of each family with wide heads: the modules whose place kernels take, and how often.
TAKEN = {
    "qwen2": {"RMSNorm": 2 * LAYERS + 1, "MLP": LAYERS, "Attention": LAYERS},
    "qwen3": {"RMSNorm": 4 * LAYERS + 1, "MLP": LAYERS, "Attention": LAYERS},
    "gemma": {"Attention": LAYERS},
    "gemma2": {"Attention": LAYERS},
    "gemma3": {"Attention": LAYERS},
    "gemma3_with_eyes": {"Attention": LAYERS},
    "mistral": {"RMSNorm": 2 * LAYERS + 1, "MLP": LAYERS, "Attention": LAYERS},
    "phi3": {"RMSNorm": 2 * LAYERS + 1, "Attention": LAYERS},
    "gpt_oss": {"RMSNorm": 2 * LAYERS + 1},
}


@pytest.fixture(scope="module", params=TAKEN)
def wide(request: pytest.FixtureRequest, smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a family whose heads are as wide as those of real ones."""
    return make(request.param, tmp_path_factory.mktemp("wide") / request.param, smollm2, head_dim=64)


def test_kernels_take_the_place_of_modules_that_compute_the_same(wide: Path) -> None:
    names = [type(module).__name__ for module in loaded(wide, "bfloat16").base.model.modules() if "forward" in vars(module)]
    kinds = Counter(next(kind for kind in ("RMSNorm", "MLP", "Attention") if name.endswith(kind)) for name in names)
    assert kinds == TAKEN[wide.name]


def test_recordings_with_kernels_are_as_near_to_float32_as_transformers_own(wide: Path) -> None:
    assert_recordings_in_half_precision(wide)


def test_a_decoding_step_with_kernels_is_as_near_to_float32_as_transformers_own(wide: Path) -> None:
    exact, half = plain(wide), plain(wide, torch.bfloat16)
    resident = loaded(wide, "bfloat16")
    found = next_logits(resident, [ids[:-1] for ids in ROWS], [ids[-1] for ids in ROWS])
    with torch.inference_mode():
        wanted, theirs = (torch.stack([model(torch.tensor([ids])).logits[0, -1].float() for ids in ROWS]) for model in (exact, half))
    assert relative(found, wanted) < 1.5 * relative(theirs, wanted)


def next_logits(resident: Resident, rows: list[list[int]], tokens: list[int]) -> torch.Tensor:
    """Logits `[rows, vocabulary]` after `rows` and then one token each, by the cache of keys and values."""
    with torch.inference_mode():
        ids, mask, positions = left_padded(rows, 0, resident.base.device)
        cache = empty_cache(resident.base)
        run(resident.base, ids, mask, positions, cache)
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
        return run(resident.base, torch.tensor(tokens)[:, None], mask, positions[:, -1:] + 1, cache).float()
