"""What a model computes on: part of where a number comes from, since another machine may round its last bits otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..native import bfloat16, cpu

if TYPE_CHECKING:
    import torch


def machine_of(device: torch.device) -> dict[str, Any]:
    """`processor`, and of a CPU `instructions` (what is computed with, as gcc and the kernel call it) and torch's `threads`.

    What the machine does not tell is left out.
    """
    import torch

    if device.type == "cuda":
        return {"processor": torch.cuda.get_device_name(device)}
    processor = cpu.processor()
    found: dict[str, Any] = {} if processor is None else {"processor": processor}
    if device.type == "cpu":
        found |= {"instructions": instructions(), "threads": torch.get_num_threads()}
    return found


def instructions() -> list[str]:
    """The architecture that is compiled for, and those for bfloat16 that our products use."""
    known = [cpu.architecture()]
    if bfloat16.by_tiles() is not None:
        known.append("amx_bf16")
    elif bfloat16.by_dots() is not None:
        known.append("avx512_bf16")
    return [name for name in known if name is not None]
