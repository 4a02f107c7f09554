"""A model that is too large for one device: its blocks lie on several, in their order, and run one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from ..errors import bad_input

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Bytes of a number of a block that is kept in fewer bits, with its scales.
WIDTHS = {"nf4": 0.5625, "int8": 1.01}


def places(
    model: PreTrainedModel, blocks: Sequence[torch.nn.Module], devices: Sequence[torch.device], quantization: str | None
) -> dict[str, torch.device]:
    """Where each part of a model goes that is yet to be loaded, by the names of its modules and of numbers beside them.

    Every device has a run of blocks, so that all have about as many bytes. What is no block is on the first: ids enter there
    and logits leave. Raises SidecarError of kind `bad-input` for a model that cannot be spread over so many.
    """
    if len(devices) > len(blocks):
        raise bad_input(f"its {len(blocks)} blocks cannot be spread over {len(devices)} devices")
    if getattr(model.config.get_text_config(decoder=True), "num_kv_shared_layers", 0):
        raise bad_input(f"architecture '{model.config.model_type}' reads keys and values of one block in another: it cannot be spread over devices")
    width = model.dtype.itemsize
    sizes = [numbers(block) * WIDTHS.get(quantization or "", width) for block in blocks]
    rest = (numbers(model) - sum(map(numbers, blocks))) * width
    where = dict(zip(blocks, in_runs(sizes, rest, devices), strict=True))
    found: dict[str, torch.device] = {}

    def visit(module: torch.nn.Module, prefix: str) -> None:
        for name, _ in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            found[prefix + name] = devices[0]
        for name, child in module.named_children():
            if child not in where and any(part in where for part in child.modules()):
                visit(child, f"{prefix}{name}.")
            else:
                found[prefix + name] = where.get(child, devices[0])

    visit(model, "")
    return found


def numbers(module: torch.nn.Module) -> int:
    """How many weights it has."""
    return sum(weight.numel() for weight in module.parameters())


def in_runs(sizes: Sequence[float], before: float, devices: Sequence[torch.device]) -> list[torch.device]:
    """A device for each of `sizes`, in order, so that all have about the same; the first has `before` beside."""
    share = (before + sum(sizes)) / len(devices)
    found = []
    for size in sizes:
        found.append(devices[min(int((before + size / 2) / share), len(devices) - 1)])
        before += size
    return found


def carry(decoder: torch.nn.Module, blocks: Sequence[torch.nn.Module], home: torch.device) -> None:
    """From now on every block is given what it reads on its own device, and what the last one makes comes back `home`."""
    carriers: dict[torch.device, Carrier] = {}
    for block in blocks:
        device = next(block.parameters()).device
        if device != home:
            block.register_forward_pre_hook(carriers.setdefault(device, Carrier(device)), with_kwargs=True)
    if next(blocks[-1].parameters()).device != home:
        blocks[-1].register_forward_hook(lambda module, args, output: moved(output, lambda tensor: tensor.to(home)))

    def forget(*_: Any) -> None:
        for carrier in carriers.values():
            carrier.forget()

    decoder.register_forward_hook(forget, always_call=True)


class Carrier:
    """Brings what blocks on `device` are given there: the residual to the first, and once in a pass what all of them read,
    masks and angles."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._brought: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # with what it is of, whose id is no other's meanwhile

    def forget(self) -> None:
        """The pass is over."""
        self._brought.clear()

    def __call__(self, block: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        residual = tuple(moved(value, self._bring) for value in args[:1])
        others = tuple(moved(value, self._keep) for value in args[1:])
        named = {name: moved(value, self._bring if name == "hidden_states" else self._keep) for name, value in kwargs.items()}
        return residual + others, named

    def _bring(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(self._device)

    def _keep(self, tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in self._brought:
            self._brought[id(tensor)] = (tensor, self._bring(tensor))
        return self._brought[id(tensor)][1]


def moved(value: Any, move: Any) -> Any:
    """`value` with `move` made of every tensor in it, where it is one or a tuple or list of some."""
    if isinstance(value, torch.Tensor):
        return move(value)
    return type(value)(moved(part, move) for part in value) if type(value) in (tuple, list) else value
