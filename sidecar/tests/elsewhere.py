"""A device that is not here, for tests of what would run on it: its tensors are held on the CPU, and refuse, as a GPU's do,
to meet the CPU's own or to be read where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from sidecar.inference.residency import Resident

GPU = torch.device("cuda:0")
CPU = torch.device("cpu")
aten = torch.ops.aten
MAY_MIX = {  # what takes tensors of the device and of the CPU
    aten._to_copy.default,
    aten.copy_.default,
    aten.to.device,
    aten.to.dtype_layout,
    aten.to.other,
    aten.index.Tensor,
    aten.index_put_.default,
}
NOT_OF_TENSORS = {torch.device, torch._C._nn._parse_to}  # pass a device on, and make nothing on it


class Elsewhere(torch.Tensor):
    """A tensor on the device; `host` holds its numbers. To torch's own code it is on `meta`, which every build has."""

    host: torch.Tensor

    @staticmethod
    def __new__(cls, host: torch.Tensor) -> Elsewhere:
        made: Any = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, host.size(), strides=host.stride(), storage_offset=host.storage_offset(), dtype=host.dtype, device="meta"
        )
        return made

    def __init__(self, host: torch.Tensor) -> None:
        self.host = host

    device = property(lambda self: GPU)  # type: ignore[assignment]
    is_meta = property(lambda self: False)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]

    @property
    def data(self) -> torch.Tensor:
        return self.detach()

    @data.setter
    def data(self, new: Elsewhere) -> None:
        torch.Tensor.data.__set__(self, new)  # type: ignore[attr-defined]
        self.host = new.host

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, _ = tree_flatten((args, kwargs or {}))
        strangers = [tuple(value.shape) for value in given if type(value) is torch.Tensor and value.dim() > 0]
        if strangers and (func not in MAY_MIX or not isinstance(args[0], torch.Tensor)):
            raise RuntimeError(f"{func}: tensors of shape {strangers} are on the CPU, others are not")
        target = next((value for value in given if isinstance(value, torch.device)), GPU)
        if func is aten.copy_.default:
            target = args[0].device
        held = {id(value.host): value for value in given if isinstance(value, Elsewhere)}
        result = on_host(func, *tree_map(lowered, (args, kwargs or {})))
        if target == CPU:
            return result.clone() if id(result) in held else result

        def raised(value: Any) -> Any:
            return held[id(value)] if id(value) in held else Elsewhere(value) if isinstance(value, torch.Tensor) else value

        return tree_map(raised, result)


def lowered(value: Any) -> Any:
    """A tensor of the device as the one that holds its numbers, the device as the CPU."""
    return value.host if isinstance(value, Elsewhere) else CPU if isinstance(value, torch.device) else value


def on_host(func: Any, args: Any, kwargs: Any) -> Any:
    """What `func` gives; counts of whole numbers, which a GPU makes, by floats."""
    if func is aten.histc.default:
        return func(args[0].float(), *args[1:], **kwargs).to(args[0].dtype)
    return func(*args, **kwargs)


class Made(TorchFunctionMode):
    """Makes what is asked for on the device, and reads what is asked for from it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, _ = tree_flatten((args, kwargs or {}))
        if getattr(func, "__name__", "") == "tolist" and isinstance(args[0], Elsewhere):
            return args[0].host.tolist()
        if func in NOT_OF_TENSORS or not any(map(is_device, given)) or any(isinstance(value, Elsewhere) for value in given):
            return func(*args, **(kwargs or {}))
        mine, options = tree_map(lambda value: CPU if is_device(value) else value, (args, kwargs or {}))
        made = func(*mine, **options)
        return tree_map(lambda value: Elsewhere(value.clone()) if isinstance(value, torch.Tensor) else value, made)


def is_device(value: Any) -> bool:
    """Whether `value` names the device."""
    return (value.type if isinstance(value, torch.device) else value.split(":")[0] if isinstance(value, str) else None) == GPU.type


class Scalars(TorchDispatchMode):
    """A number that is written into a tensor becomes one of the same device first."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if func is aten.scalar_tensor.default and options.get("device") == torch.device("meta"):
            return Elsewhere(func(*args, **{**options, "device": CPU}))
        return func(*args, **options)


@contextmanager
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The device is there, with a memory of 8 GiB that never fills."""
    whole = 8 << 30
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (whole, whole))
    for name in ("memory_allocated", "memory_reserved", "max_memory_allocated", "max_memory_reserved", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda device: 0)
    for name in ("empty_cache", "_lazy_init"):
        monkeypatch.setattr(torch.cuda, name, lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    with Made(), Scalars():
        yield


def move(resident: Resident) -> None:
    """Puts the model that a resident holds on the device, as if it had been loaded there."""
    base = resident.base
    moved: dict[int, Any] = {}
    with torch.inference_mode():
        for module in base.model.modules():
            for own, wrap in ((module._parameters, lambda held: torch.nn.Parameter(held, requires_grad=False)), (module._buffers, lambda held: held)):
                for name, tensor in own.items():
                    if tensor is not None:
                        own[name] = moved.setdefault(id(tensor), tensor if isinstance(tensor, Elsewhere) else wrap(Elsewhere(tensor.detach())))
    resident._base = replace(base, device=torch.device(GPU.type))
