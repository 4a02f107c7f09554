"""Devices that are not here, for tests of what would run on them: their tensors are held on the CPU, and refuse, as a GPU's do,
to meet the CPU's own or another GPU's, or to be read where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
SECOND = torch.device("cuda:1")
CPU = torch.device("cpu")
META = torch.device("meta")
aten = torch.ops.aten
CARRIES = {aten._to_copy.default, aten.copy_.default, aten.to.device, aten.to.dtype_layout, aten.to.other}
MAY_MIX = {*CARRIES, aten.index.Tensor, aten.index_put_.default}  # what takes tensors of a device and of the CPU
NOT_OF_TENSORS = {torch.device, torch._C._nn._parse_to}  # pass a device on, and make nothing on it


class Elsewhere(torch.Tensor):
    """A tensor on a device; `host` holds its numbers. To torch's own code it is on `meta`, which every build has."""

    host: torch.Tensor
    place: torch.device

    @staticmethod
    def __new__(cls, host: torch.Tensor, place: torch.device = GPU) -> Elsewhere:
        made: Any = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, host.size(), strides=host.stride(), storage_offset=host.storage_offset(), dtype=host.dtype, device="meta"
        )
        return made

    def __init__(self, host: torch.Tensor, place: torch.device = GPU) -> None:
        self.host, self.place = host, place

    device = property(lambda self: self.place)  # type: ignore[assignment]
    is_meta = property(lambda self: False)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]

    @property
    def data(self) -> torch.Tensor:
        return self.detach()

    @data.setter
    def data(self, new: Elsewhere) -> None:
        torch.Tensor.data.__set__(self, new)  # type: ignore[attr-defined]
        self.host, self.place = new.host, new.place

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, _ = tree_flatten((args, kwargs or {}))
        strangers = [tuple(value.shape) for value in given if type(value) is torch.Tensor and value.dim() > 0]
        if strangers and (func not in MAY_MIX or not isinstance(args[0], torch.Tensor)):
            raise RuntimeError(f"{func}: tensors of shape {strangers} are on the CPU, others are not")
        homes = {value.place for value in given if isinstance(value, Elsewhere) and value.dim() > 0}
        if len(homes) > 1 and func not in CARRIES:
            raise RuntimeError(f"{func}: tensors are on {' and '.join(sorted(map(str, homes)))}")
        home = next(iter(homes), next((value.place for value in given if isinstance(value, Elsewhere)), GPU))
        asked = next((value for value in given if isinstance(value, torch.device)), META)
        target = home if asked == META else on_one(asked)
        if func is aten.copy_.default:
            target = args[0].device
        held = {id(value.host): value for value in given if isinstance(value, Elsewhere)}
        result = on_host(func, *tree_map(lowered, (args, kwargs or {})))
        if target == CPU:
            return result.clone() if id(result) in held else result

        def raised(value: Any) -> Any:
            if id(value) in held and held[id(value)].place == target:
                return held[id(value)]
            return Elsewhere(value, target) if isinstance(value, torch.Tensor) else value

        return tree_map(raised, result)


def on_one(device: torch.device) -> torch.device:
    """The device with its number: the first, where it has none."""
    return GPU if device == torch.device(GPU.type) else device


def lowered(value: Any) -> Any:
    """A tensor of a device as the one that holds its numbers, the device as the CPU."""
    return value.host if isinstance(value, Elsewhere) else CPU if isinstance(value, torch.device) else value


def on_host(func: Any, args: Any, kwargs: Any) -> Any:
    """What `func` gives; counts of whole numbers, which a GPU makes, by floats."""
    if func is aten.histc.default:
        return func(args[0].float(), *args[1:], **kwargs).to(args[0].dtype)
    return func(*args, **kwargs)


class Made(TorchFunctionMode):
    """Makes what is asked for on a device, and reads what is asked for from it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given, _ = tree_flatten((args, kwargs or {}))
        if getattr(func, "__name__", "") == "tolist" and isinstance(args[0], Elsewhere):
            return args[0].host.tolist()
        if func is torch.Tensor.__getitem__ and isinstance(args[0], Elsewhere) and isinstance(args[1], list):
            return func(args[0], torch.tensor(args[1]))  # which torch itself would put on `meta`, without its numbers
        if func in NOT_OF_TENSORS or not any(map(is_device, given)) or any(isinstance(value, Elsewhere) for value in given):
            return func(*args, **(kwargs or {}))
        mine, options = tree_map(lambda value: CPU if is_device(value) else value, (args, kwargs or {}))
        place = next(on_one(torch.device(value)) for value in given if is_device(value))
        made = func(*mine, **options)
        return tree_map(lambda value: Elsewhere(value.clone(), place) if isinstance(value, torch.Tensor) else value, made)


def is_device(value: Any) -> bool:
    """Whether `value` names a device that is not here."""
    return (value.type if isinstance(value, torch.device) else value.split(":")[0] if isinstance(value, str) else None) == GPU.type


class Scalars(TorchDispatchMode):
    """A number that is written into a tensor becomes one of the same device first."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        if func is aten.scalar_tensor.default and options.get("device") == META:
            return Elsewhere(func(*args, **{**options, "device": CPU}))
        return func(*args, **options)


@contextmanager
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The devices are there, each with a memory of 8 GiB that never fills."""
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


def move(resident: Resident, places: Mapping[str, torch.device] | None = None) -> None:
    """Puts the model that a resident holds on the first device, or its parts in their `places`, as if it had been loaded there."""
    base = resident.base
    where = {"": GPU} if places is None else places
    moved: dict[int, Any] = {}
    with torch.inference_mode():
        for path, module in base.model.named_modules():
            for own, wrap in ((module._parameters, lambda held: torch.nn.Parameter(held, requires_grad=False)), (module._buffers, lambda held: held)):
                for name, tensor in own.items():
                    if tensor is not None:
                        place = next(device for part, device in where.items() if f"{path}.{name}".startswith(part))
                        own[name] = moved.setdefault(id(tensor), tensor if isinstance(tensor, Elsewhere) else wrap(Elsewhere(tensor.detach(), place)))
    resident._base = replace(base, devices=tuple(sorted(set(where.values()), key=str)))
