"""Half precision in float32 arithmetic is the same model, rounded where the model rounds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sidecar.inference.cache import GrowingLayer
from sidecar.native.attention import attend_to_past, whole
from sidecar.native.packed import PackedLinear, is_needed, native, pack, with_beside


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("shape", [(3, 40), (2, 5, 40), (1, 40)])
@pytest.mark.parametrize("bias", [False, True])
def test_a_packed_layer_is_the_exact_product_rounded_once(dtype: torch.dtype, shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(40, 24, bias=bias).to(dtype)
    inputs = torch.randn(shape).to(dtype)
    exact = nn.functional.linear(inputs.double(), layer.weight.double(), layer.bias.double() if bias else None)
    pack(layer)
    found = layer(inputs)
    assert (found.dtype, found.shape, found.is_contiguous()) == (dtype, (*shape[:-1], 24), True)
    torch.testing.assert_close(found.double(), exact, rtol=torch.finfo(dtype).eps, atol=1e-6)


def test_packing_twice_keeps_the_weights_and_their_copies() -> None:
    model = nn.Sequential(nn.Linear(4, 4).bfloat16(), nn.ReLU())
    pack(model)
    product = model[0].product
    pack(model)
    assert isinstance(model[0], PackedLinear) and model[0].product is product
    assert model[0].weight.dtype == torch.bfloat16 and list(model.state_dict()) == ["0.weight", "0.bias"]


def test_it_is_used_on_a_cpu_only_and_where_memory_allows() -> None:
    model = nn.Linear(64, 64)
    cpu = torch.device("cpu")
    assert is_needed(model, torch.float32, cpu, 1 << 40)
    assert is_needed(model, torch.bfloat16, cpu, 1 << 40)
    assert not is_needed(model, torch.bfloat16, torch.device("meta"), 1 << 40)
    assert not is_needed(model, torch.bfloat16, cpu, 1024)


def test_layers_compute_in_their_dtype_or_in_float32_where_the_cpu_lacks_it() -> None:
    layer = nn.Linear(8, 8).bfloat16()
    pack(layer)
    assert layer.product.dtype == (torch.bfloat16 if native(torch.bfloat16) else torch.float32)


@pytest.mark.parametrize("bias", [False, True])
def test_layers_of_one_input_share_a_product_and_give_what_each_gives_alone(bias: bool) -> None:
    torch.manual_seed(3)
    layers = {"q_proj": nn.Linear(40, 24, bias=bias), "k_proj": nn.Linear(40, 8, bias=bias), "v_proj": nn.Linear(40, 8, bias=bias)}
    model = nn.ModuleDict(layers)
    first, second = torch.randn(2, 5, 40), torch.randn(3, 40)
    pack(model)
    assert len({layer.product for layer in model.values()}) == 1
    for name in ("q_proj", "k_proj", "v_proj", "q_proj", "v_proj", "k_proj"):
        for inputs in (first, second, first):
            wanted = nn.functional.linear(inputs.double(), layers[name].weight.double(), layers[name].bias.double() if bias else None)
            torch.testing.assert_close(model[name](inputs).double(), wanted, rtol=1e-5, atol=1e-6)


def test_layers_of_one_name_that_do_not_fit_together_stay_apart() -> None:
    model = nn.ModuleDict({"gate_proj": nn.Linear(8, 4), "up_proj": nn.Linear(8, 4, bias=False)})
    pack(model)
    assert len({layer.product for layer in model.values()}) == 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_factors_beside_weights_add_what_they_come_to_and_leave_the_other_layers_alone(dtype: torch.dtype) -> None:
    torch.manual_seed(5)
    model = nn.ModuleDict({name: nn.Linear(40, size).to(dtype) for name, size in {"q_proj": 24, "k_proj": 8, "v_proj": 8}.items()})
    inputs = torch.randn(2, 5, 40).to(dtype)
    pack(model)
    layers = list(model.values())
    clean = [layer(inputs) for layer in layers]
    ranks = {0: 4, 2: 3}
    factors = [(torch.randn(ranks[at], 40), torch.randn(layer.out_features, ranks[at])) if at in ranks else None for at, layer in enumerate(layers)]
    found = [layer(inputs) for layer in with_beside(layers, factors)]
    assert torch.equal(found[1], clean[1])
    for at in ranks:
        down, up = (part.to(layers[at].product.dtype).double() for part in factors[at])
        inner = inputs.double() @ down.T
        wanted = clean[at].double() + inner @ up.T
        # Three numbers are rounded: what is between the factors, what they come to, and the sum.
        bound = torch.finfo(dtype).eps * (inner.abs() @ up.abs().T + wanted.abs()) + 1e-5
        assert ((found[at].double() - wanted).abs() <= bound).all()
    assert all(torch.equal(layer(inputs), before) for layer, before in zip(layers, clean, strict=True))


def test_factors_of_zeros_change_no_bit() -> None:
    torch.manual_seed(6)
    layer = nn.Linear(40, 24).bfloat16()
    pack(layer)
    inputs = torch.randn(7, 40).bfloat16()
    (beside,) = with_beside([layer], [(torch.randn(4, 40), torch.zeros(24, 4))])
    assert torch.equal(beside(inputs), layer(inputs))


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch was built without oneDNN")
@pytest.mark.parametrize("rows", [2, 7, 33, 130])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_what_comes_out_of_a_row_does_not_depend_on_the_rows_beside_it(rows: int, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    layer = nn.Linear(576, 192).to(dtype)
    pack(layer)
    inputs = torch.randn(rows, 576).to(dtype)
    with torch.inference_mode():
        together = layer(inputs)
        assert all(torch.equal(layer(inputs[row : row + 1])[0], together[row]) for row in range(rows))


@pytest.mark.parametrize("form", ["none", "true where seen", "added"])
def test_attention_to_the_past_is_that_of_repeated_keys(form: str) -> None:
    torch.manual_seed(2)
    rows, heads, groups, tokens, size = 3, 6, 2, 11, 8
    query, key, value = torch.randn(rows, heads, 1, size), torch.randn(rows, groups, tokens, size), torch.randn(rows, groups, tokens, size)
    seen = torch.ones(rows, 1, 1, tokens, dtype=torch.bool)
    if form != "none":
        seen[0, :, :, :4] = False
    repeated = [states.double().repeat_interleave(heads // groups, dim=1) for states in (key, value)]
    scores = (query.double() @ repeated[0].mT * 0.3).masked_fill(~seen, float("-inf"))
    wanted = (scores.softmax(dim=-1) @ repeated[1]).transpose(1, 2)
    added = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))
    mask = {"none": None, "true where seen": seen, "added": added}[form]
    found = attend_to_past(query, key, value, mask, 0.3)
    assert found.shape == wanted.shape
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["none", "true where seen", "added"])
def test_attention_to_the_beginning_of_buffers_gives_no_weight_to_the_room_behind_it(form: str) -> None:
    torch.manual_seed(4)
    layer = GrowingLayer()
    query, states = torch.randn(2, 4, 1, 8), torch.randn(2, 2, 5, 8)
    key, value = layer.update(states, states)
    assert whole(key).shape[2] > 5 and whole(value).shape[2] > 5
    seen = torch.ones(2, 1, 1, 5, dtype=torch.bool)
    seen[0, :, :, :2] = form == "none"
    mask = {"none": None, "true where seen": seen, "added": torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))}[form]
    alone = attend_to_past(query, states, states, mask, 0.3)
    torch.testing.assert_close(attend_to_past(query, key, value, mask, 0.3), alone, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(attend_to_past(query, key, states, mask, 0.3), alone, rtol=1e-5, atol=1e-6)
