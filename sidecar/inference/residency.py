"""The loaded state: at most one base model and at most one adapter on it.

An adapter is either in the model or gone: taking it off gives back the modules that were loaded, so the clean base
after any number of adapters is the clean base, bit for bit, and no former adapter keeps memory.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..native.allocator import give_freed_memory_back, keep_freed_memory
from ..wire import params
from .generator import LocalGenerator

if TYPE_CHECKING:
    from ..model.base import Base
    from .generator import Generator
    from .prompts import Prompts
    from .room import Room


class Resident:
    """Owns the base model and the adapter for the life of the process."""

    def __init__(self) -> None:
        self._base: Base | None = None
        self._adapter: str | None = None
        self._adapter_digest: str | None = None
        self._prompts: dict[str | None, Prompts] = {}  # by the adapter's digest, None for the clean model
        self._room: Room | None = None

    @property
    def room(self) -> Room:
        """How much may be worked on at once with the loaded base."""
        if self._room is None:
            raise bad_input("no base model is loaded: load_base comes first")
        return self._room

    def work(self, request: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The *result* of a request, begun again with less at once when memory runs out, and what that says of memory."""
        if self._base is None or self._room is None:
            return request()
        from .room import peak_memory

        result = self._room.keep_within(request, self.release_cached_memory)
        return {**result, "token_budget": self._room.tokens, "peak_memory_bytes": peak_memory(self._base.devices)}

    @property
    def prompts(self) -> Prompts:
        """Prompts that were run in the present state. The clean model's stay while adapters come and go."""
        if self._adapter_digest not in self._prompts:
            from .prompts import Prompts, budget_on

            self._prompts[self._adapter_digest] = Prompts(budget_on(self.base.devices))
        return self._prompts[self._adapter_digest]

    @property
    def base(self) -> Base:
        """The loaded base. Raises SidecarError of kind `bad-input` when there is none."""
        if self._base is None:
            raise bad_input("no base model is loaded: load_base comes first")
        return self._base

    def generator(self, together: int) -> Generator:
        """What answers prompts in the present state, `together` at once."""
        return LocalGenerator(self.base, self.adapter_digest, together)

    @property
    def adapter_digest(self) -> str | None:
        """The digest of the adapter that is on, as the engine gave it; None for the clean model."""
        return self._adapter_digest

    @property
    def adapter(self) -> str | None:
        """The name of the adapter that is on, None for the clean model."""
        return self._adapter

    def load_base(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """`load_base`: replaces whatever is loaded. A failed load leaves nothing loaded."""
        started = time.monotonic()
        self._base, self._adapter, self._adapter_digest, self._room = None, None, None, None
        gc.unfreeze()
        self.release_cached_memory()
        with uncollected():
            from ..model.base import load_base
            from ..model.chat import Told
            from ..model.machine import machine_of
            from .room import measured

            base = load_base(
                params.text(request, "path"),
                params.text(request, "dtype"),
                params.text(request, "device"),
                params.optional_text(request, "quantization"),
                Told(
                    params.optional_text(request, "date"),
                    params.optional_section(request, "chat_template_kwargs"),
                    params.flag(request, "plain_text"),
                ),
            )
            self._room = measured(base, params.optional_integer(request, "token_limit", 1))
        self._base = base
        keep_freed_memory(True)
        return {
            "seconds": time.monotonic() - started,
            "layers": len(base.blocks),
            "hidden": base.hidden,
            "parameters": base.parameters,
            "token_budget": self._room.tokens,
            "machine": machine_of(base.device),
        }

    def set_adapter(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """`set_adapter`: the former adapter leaves first; after a failure the model is clean."""
        started = time.monotonic()
        from ..model.adapter import attach, detach

        wanted = None if request.get("adapter") is None else params.section(request, "adapter")
        name = None if wanted is None else params.text(wanted, "name")
        path = None if wanted is None else params.text(wanted, "path")
        digest = None if wanted is None else params.text(wanted, "digest")
        base = self.base
        if self._adapter is not None:
            self._prompts.pop(self._adapter_digest, None)
            detach(base.model)
            self._adapter = self._adapter_digest = None
            self._give_back()
        if path is not None:
            attach(base.model, path, base.dtype)
            self._adapter, self._adapter_digest = name, digest
        return {"seconds": time.monotonic() - started}

    def release_cached_memory(self) -> None:
        """Gives kept prompts and memory nobody refers to back to the device."""
        self._prompts.clear()
        self._give_back()

    def _give_back(self) -> None:
        """Gives memory nobody refers to back to the device."""
        gc.collect()
        give_freed_memory_back()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


@contextmanager
def uncollected() -> Iterator[None]:
    """What is loaded inside stays until `gc.unfreeze`, and Python's collector never walks through it.

    Libraries and a model are hundreds of thousands of objects of which none is garbage: looking through them again and
    again while they become more takes a fifth of the time to load them.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
