"""Linear layers on a CPU: one product for layers that read the same input, with weights in the order they are read in.

They compute in the model's dtype where the CPU has instructions for it, and else in float32. A CPU without instructions
for bfloat16 multiplies its matrices several times slower than float32 ones; a kernel with them forms products and sums
in float32 and rounds the result once, and so is it done here, so the numbers differ from such a kernel's by the order of
summation only. What leaves a layer has the model's dtype. How many rows are beside a row changes nothing of what comes
out of it where the products are ours (`tiles`), and else only where oneDNN sums many inputs in another order for them.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from . import kernels, tiles

SHARE_OF_MEMORY = 0.5  # of the host's, for the copies: of the clean weights and of those with an adapter added
# Names of layers in one module that transformers' architectures give the same input.
TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))

Factors = tuple[torch.Tensor, torch.Tensor]  # A [rank, in] and B [out, rank], already scaled


class Product(ABC):
    """What layers that read the same input make of it, below each other: `[..., all out]` of `[..., in]`.

    The first layer that is given an input computes what all of them make of it, and the others find it.
    """

    def __init__(self, sizes: Sequence[int], dtype: torch.dtype) -> None:
        self.sizes = sizes  # outputs of each layer
        self.dtype = dtype  # what it computes in
        self._input: torch.Tensor | None = None
        self._outputs: Sequence[torch.Tensor] = ()

    @abstractmethod
    def rows(self, input: torch.Tensor) -> torch.Tensor:
        """`[rows, all out]` for `input` `[rows, in]`, both in `dtype`."""

    def of(self, input: torch.Tensor, place: int) -> torch.Tensor:
        """The output `[..., out]` of the layer at `place` for `input` `[..., in]`, in the input's dtype."""
        if len(self.sizes) == 1:
            return self.all(input)
        if input is not self._input:
            self._input, self._outputs = input, self.all(input).split(self.sizes, dim=-1)
        output = self._outputs[place]
        if place == len(self.sizes) - 1:
            self._input, self._outputs = None, ()
        return output

    def all(self, input: torch.Tensor) -> torch.Tensor:
        """The outputs of all layers, one behind the other, `[..., all out]` for `input` `[..., in]`, in the input's dtype."""
        return self.rows(input.reshape(-1, input.shape[-1]).to(self.dtype)).to(input.dtype).view(*input.shape[:-1], -1)


class ProductOfWeights(Product):
    """`W x` plus the bias, with the layers' weights below each other in `W`."""

    def __init__(self, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor | None]) -> None:
        super().__init__([len(weight) for weight in weights], weights[0].dtype)
        weight = torch.cat(list(weights))
        in_tiles = tiles.in_tiles(weight)
        self._weight = in_own_order(weight) if in_tiles is None else in_tiles
        self._multiply = product_of if in_tiles is None else tiles.multiply
        known = [bias.to(self.dtype) for bias in biases if bias is not None]
        self._bias = torch.cat(known) if known else None

    def rows(self, input: torch.Tensor) -> torch.Tensor:
        return self._multiply(input, self._weight, self._bias)


class ProductBeside(Product):
    """Another product with what low-rank adapters of its layers add: `W x + B A x`, with `A` of all of them below each
    other and `B` in blocks. Weights that the sum `W + B A` would be rounded in stay as they are.

    `factors`: of each layer its `A` `[rank, in]` and its scaled `B` `[out, rank]`, None where nothing is added.
    """

    def __init__(self, product: Product, factors: Sequence[Factors | None]) -> None:
        super().__init__(product.sizes, product.dtype)
        self._product = product
        down = torch.cat([pair[0] for pair in factors if pair is not None]).to(self.dtype)
        self._down = in_own_order(down)
        blocks = [torch.zeros(size, 0) if pair is None else pair[1] for pair, size in zip(factors, self.sizes, strict=True)]
        up = torch.block_diag(*blocks).to(self.dtype)
        self._up = in_own_order(up)
        self._for_kernel = for_kernel(down, up)

    def rows(self, input: torch.Tensor) -> torch.Tensor:
        clean = self._product.rows(input)
        if self._for_kernel is not None and kernels.add_low_rank(clean, input, *self._for_kernel):
            return clean
        inner = product_of(input, self._down)
        if self._up.is_mkldnn:
            return torch.ops.mkldnn._linear_pointwise.binary(inner, clean, self._up, None, "add")
        return clean + functional.linear(inner, self._up)


def for_kernel(down: torch.Tensor, up: torch.Tensor) -> Factors | None:
    """`down` `[rank, in]` and `up` `[out, rank]` as `add_low_rank` takes them, None where it does not."""
    lacking = -len(down) % kernels.RANKS
    sizes = (down.shape[1], len(up))
    if down.device.type != "cpu" or not kernels.adds(down.dtype, sizes, len(down) + lacking):
        return None
    return functional.pad(down, (0, 0, 0, lacking)), functional.pad(up.T, (0, 0, 0, lacking)).contiguous()


def in_own_order(weight: torch.Tensor) -> torch.Tensor:
    """`weight` `[out, in]` in oneDNN's own order, where torch has it."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.detach()) if torch.backends.mkldnn.is_available() else weight.detach()


def product_of(input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """`[rows, out]` for `input` `[rows, in]` and a weight of `in_own_order`."""
    if not weight.is_mkldnn:
        return functional.linear(input, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(input, weight, bias, "none", [], "")


class PackedLinear(nn.Linear):
    """A linear layer that computes by a `Product`, in which it has the given place."""

    product: Product
    place: int

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`input` `[..., in]` to `[..., out]` in the input's dtype."""
        return self.product.of(input, self.place)


def is_needed(model: nn.Module, dtype: torch.dtype, device: torch.device, host_memory: int) -> bool:
    """Whether `model` can be packed: on a CPU, if two copies of its weights fit into the share of `host_memory` (bytes)."""
    if device.type != "cpu":
        return False
    weights = sum(module.weight.numel() for module in model.modules() if type(module) is nn.Linear)
    return weights * computed_in(dtype).itemsize * 2 <= host_memory * SHARE_OF_MEMORY


def computed_in(dtype: torch.dtype) -> torch.dtype:
    """The dtype that layers of `dtype` compute in: their own where torch has fast kernels for it on this CPU."""
    return dtype if native(dtype) else torch.float32


def native(dtype: torch.dtype) -> bool:
    """Whether torch has fast kernels for `dtype` on this CPU."""
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if dtype == torch.float16:
        return bool(torch.ops.mkldnn._is_mkldnn_fp16_supported())
    return dtype == torch.float32


def pack(model: nn.Module) -> None:
    """Makes every plain linear layer of `model` a packed one, in place; those that are keep their products."""
    for layers in groups(model, nn.Linear):
        product = ProductOfWeights([layer.weight.to(computed_in(layer.weight.dtype)) for layer in layers], [layer.bias for layer in layers])
        for place, layer in enumerate(layers):
            layer.__class__ = PackedLinear
            vars(layer).update(product=product, place=place)


def with_added(layers: Sequence[PackedLinear], deltas: Sequence[torch.Tensor | None]) -> list[PackedLinear]:
    """Layers like `layers`, which stay as they are, whose weights are the float32 `deltas` `[out, in]` larger."""
    weights = [layer.weight.float() if delta is None else layer.weight.float() + delta for layer, delta in zip(layers, deltas, strict=True)]
    return with_product(layers, ProductOfWeights(weights, [layer.bias for layer in layers]))


def with_beside(layers: Sequence[PackedLinear], factors: Sequence[Factors | None]) -> list[PackedLinear]:
    """Layers like `layers`, which stay as they are and share a product, with low-rank `factors` beside their weights."""
    return with_product(layers, ProductBeside(layers[0].product, factors))


def with_product(layers: Sequence[PackedLinear], product: Product) -> list[PackedLinear]:
    """Copies of `layers` that compute by `product`."""
    copies = [copy.copy(layer) for layer in layers]
    for place, layer in enumerate(copies):
        vars(layer).update(product=product, place=place)
    return copies


def groups(model: nn.Module, kind: type[nn.Linear]) -> Iterator[list[nn.Linear]]:
    """The linear layers of `model` that are of this very kind: those that read the same input together."""
    for parent in model.modules():
        layers = {name: child for name, child in parent.named_children() if type(child) is kind}
        for names in TOGETHER:
            group = [layers[name] for name in names if name in layers]
            alike = {(layer.in_features, layer.weight.dtype, layer.bias is None) for layer in group}
            if len(group) == len(names) and len(alike) == 1:
                yield [layers.pop(name) for name in names]
        yield from ([layer] for layer in layers.values())
    if type(model) is kind:
        yield [model]
