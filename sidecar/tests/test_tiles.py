"""Products of weights in tiles are the exact ones, rounded once, whatever rows are beside a row."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sidecar.native import bfloat16, tiles
from sidecar.native.packed import ProductOfWeights, pack

WAYS = {
    "tiles": (bfloat16.by_tiles, "this CPU has no tiles for bfloat16 (AMX), or there is no gcc"),
    "dots": (bfloat16.by_dots, "this CPU adds up no pairs of bfloat16 numbers (AVX512_BF16), or there is no gcc"),
}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By which instructions products are made: all that this CPU has are tried."""
    open_library, lacking = WAYS[request.param]
    if (library := open_library()) is None:
        pytest.skip(lacking)
    monkeypatch.setattr(tiles, "library", lambda: library)
    return str(request.param)


def numbers(*shape: int) -> torch.Tensor:
    """Of both signs, some of them a thousand times as large as the rest."""
    found = torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))
    found.view(-1)[::97] *= 1000
    return found.bfloat16()


def product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    weights = tiles.in_tiles(weight)
    assert weights is not None
    return tiles.multiply(x, weights, bias)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 11, 12, 13, 15, 16, 17, 31, 32, 33, 251, 255, 257, 300])
@pytest.mark.parametrize(("out", "width"), [(32, 32), (96, 576), (576, 1536), (4000, 64)])
@pytest.mark.parametrize("bias", [False, True])
def test_products_are_the_exact_ones_rounded_once(rows: int, out: int, width: int, bias: bool) -> None:
    x, weight, added = numbers(rows, width), numbers(out, width), numbers(out) if bias else None
    exact = x.double() @ weight.double().T + (0 if added is None else added.double())
    sizes = x.double().abs() @ weight.double().abs().T + (0 if added is None else added.double().abs())
    found = product(x, weight, added)
    assert (found.dtype, found.shape, found.is_contiguous()) == (torch.bfloat16, (rows, out), True)
    assert ((found.double() - exact).abs() <= exact.abs() * 2**-8 + sizes * width * 2**-24).all()


def test_whole_numbers_come_out_to_the_bit() -> None:
    x, weight = (torch.randint(-2, 3, shape, generator=torch.Generator().manual_seed(1)) for shape in ((70, 64), (64, 64)))
    exact = x @ weight.T
    assert exact.abs().max() <= 256  # bfloat16 has every whole number up to there
    assert torch.equal(product(x.bfloat16(), weight.bfloat16()).long(), exact)


@pytest.mark.parametrize("rows", [2, 16, 33, 130, 400])
def test_what_comes_out_of_a_row_does_not_depend_on_the_rows_beside_it(rows: int) -> None:
    x, weight = numbers(rows, 1536), numbers(576, 1536)
    together = product(x, weight)
    assert all(torch.equal(product(x[row : row + 1], weight)[0], together[row]) for row in range(rows))


def test_rows_that_do_not_lie_behind_each_other_are_read_as_they_are() -> None:
    x, weight = numbers(6, 128), numbers(32, 64)
    assert torch.equal(product(x[::2, 64:], weight), product(x[::2, 64:].contiguous(), weight))


def test_what_is_not_finite_stays_in_its_row() -> None:
    x, weight = numbers(40, 64), numbers(32, 64)
    clean = product(x, weight)
    x[3, 5], x[20, 63] = float("nan"), float("inf")
    found = product(x, weight)
    assert found.isfinite().all(dim=1).tolist() == [row not in (3, 20) for row in range(40)]
    others = [row for row in range(40) if row not in (3, 20)]
    assert torch.equal(found[others], clean[others])


def test_no_rows_give_no_rows() -> None:
    assert product(numbers(0, 64), numbers(32, 64)).shape == (0, 32)


def test_one_thread_gives_what_two_give() -> None:
    x, weight, threads = numbers(300, 576), numbers(960, 576), torch.get_num_threads()
    try:
        found = []
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(product(x, weight))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*found)


@pytest.mark.parametrize(("out", "width", "dtype"), [(40, 64, torch.bfloat16), (64, 40, torch.bfloat16), (64, 64, torch.float32)])
def test_weights_of_other_kinds_are_left_to_onednn(out: int, width: int, dtype: torch.dtype) -> None:
    weight = numbers(out, width).to(dtype)
    assert tiles.in_tiles(weight) is None
    x = numbers(3, width).to(dtype)
    torch.testing.assert_close(ProductOfWeights([weight], [None]).rows(x), nn.functional.linear(x, weight))


def test_a_packed_layer_keeps_its_weights_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = nn.Linear(64, 96).bfloat16(), numbers(2, 3, 64)
    wanted = product(x.view(6, 64), layer.weight, layer.bias).view(2, 3, 96)
    given: list[tuple[int, ...]] = []
    plain = tiles.multiply

    def multiply(x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        given.append(tuple(x.shape))
        return plain(x, weights, bias)

    monkeypatch.setattr(tiles, "multiply", multiply)
    pack(layer)
    assert torch.equal(layer(x), wanted)
    assert given == [(6, 64)]


def test_products_of_onednn_between_ours_stay_what_they_are() -> None:
    """It keeps what shapes it gave a thread's tiles."""
    x, weight = numbers(48, 96), numbers(40, 96)  # not for ours
    before = nn.functional.linear(x, weight)
    product(numbers(5, 64), numbers(32, 64))
    assert torch.equal(nn.functional.linear(x, weight), before)
