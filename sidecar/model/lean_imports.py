"""Imports transformers and PEFT without packages that take long and that no forward pass needs: scipy (for losses),
tensors spread over machines (torch.distributed, also where there is one process) and torch's compiler, which is imported
for decorators that say what it must not compile.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .known_parts import known_parts

COMPILER = "torch._dynamo"
MASKS = f"{COMPILER}._trace_wrapped_higher_order_op"


@contextmanager
def lean_imports() -> Iterator[None]:
    """What is imported inside finds no scipy and no torch.distributed, and a stand-in for torch's compiler.

    What is there already stays. Afterwards, all of them can be imported as ever. Where transformers or PEFT came before
    the first use, all uses change nothing: each of their parts must find what the others found.
    """
    if not begins_lean():
        yield
        return
    with without("scipy"), one_process(), no_compiler(), known_parts():
        keep_answers()
        yield


@functools.cache
def begins_lean() -> bool:
    return not sys.modules.keys() & {"transformers", "peft"}


def keep_answers() -> None:
    """Lets transformers find what it finds now: it asks once and keeps the answer."""
    from transformers.utils import is_scipy_available, is_torch_distributed_available

    is_scipy_available()
    is_torch_distributed_available()


@contextmanager
def without(package: str) -> Iterator[None]:
    """Hides `package` from what is imported inside, unless it is there already."""
    hidden = package not in sys.modules
    modules: dict[str, Any] = sys.modules
    if hidden:
        modules[package] = None
    try:
        yield
    finally:
        if hidden:
            del modules[package]


@contextmanager
def one_process() -> Iterator[None]:
    """torch.distributed says that it is not available, as builds of torch without it do."""
    import torch.distributed as distributed

    available = distributed.is_available
    distributed.is_available = lambda: False
    try:
        yield
    finally:
        distributed.is_available = available


@contextmanager
def no_compiler() -> Iterator[None]:
    """A stand-in for torch._dynamo that marks functions as nothing special. Whoever asks for more gets the real one."""
    if COMPILER in sys.modules:
        yield
        return
    sys.modules.update({COMPILER: CompilerStandIn(COMPILER), MASKS: MasksStandIn(MASKS)})
    try:
        yield
    finally:
        remove()


def remove() -> None:
    """Takes the stand-ins away, unless the real ones have come into their places."""
    for name in (COMPILER, MASKS):
        if isinstance(sys.modules.get(name), CompilerStandIn | MasksStandIn):
            del sys.modules[name]


@contextmanager
def no_needless_bitsandbytes() -> Iterator[None]:
    """PEFT finds no bitsandbytes, which takes a second to import, unless it was imported: then alone can a model have layers
    of its kinds."""
    if importlib.util.find_spec("bitsandbytes") is None or "bitsandbytes" in sys.modules:
        yield
        return
    from transformers.utils import is_bitsandbytes_available

    is_bitsandbytes_available()  # asks once and keeps the answer
    with without("bitsandbytes"):
        from peft import import_utils

        try:
            yield
        finally:
            for asked in (import_utils.is_bnb_available, import_utils.is_bnb_4bit_available):
                asked.cache_clear()  # a base that is loaded after this one may have some


class CompilerStandIn(ModuleType):
    """torch._dynamo, as far as decorators of what it must not compile."""

    def disable(self, function: Callable[..., Any] | None = None, *_: Any, **__: Any) -> Callable[..., Any]:
        return same if function is None else function

    def allow_in_graph(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def assume_constant_result(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def __getattr__(self, name: str) -> Any:
        """Also asked for `__path__`, when a part of the package is imported."""
        if name.startswith("__") and name != "__path__":
            raise AttributeError(name)
        remove()
        return getattr(importlib.import_module(COMPILER), name)


class MasksStandIn(ModuleType):
    """What transformers takes of the compiler for masks of special shapes."""

    @staticmethod
    def TransformGetItemToIndex() -> Any:
        return importlib.import_module(MASKS).TransformGetItemToIndex()


def same(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
