"""Recordings in the layout of trait-interp: what `torch.save` makes of an answer with its states by layer.

`{prompt: {text, tokens, token_ids, activations}, response: {the same}}`, `activations[layer]["residual"]` is
`[tokens, hidden]`. See save_torch.py, which writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .torch_file import plain_value

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Recording:
    """Token ids of prompt and response, and the states of the response by layer, `[tokens, hidden]` each."""

    prompt_ids: list[int]
    response_ids: list[int]
    states: dict[int, torch.Tensor]


def parse_recording(data: bytes) -> Recording:
    """The recording in a `.pt` file. Raises ValueError with what is wrong; counts are not compared here."""
    value = plain_value(data, "a recording")
    response = value.get("response") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(response, dict):
        raise ValueError('it holds no "response"')
    activations = response.get("activations")
    if not isinstance(activations, dict) or not activations:
        raise ValueError("it holds no activations of the response")
    prompt = value.get("prompt")
    prompt_ids = token_ids(prompt, "prompt") if isinstance(prompt, dict) else []
    return Recording(prompt_ids, token_ids(response, "response"), dict(layer_states(layer, of) for layer, of in activations.items()))


def token_ids(part: dict[object, object], name: str) -> list[int]:
    """The token ids of the prompt or the response."""
    ids = part.get("token_ids")
    if not isinstance(ids, list) or not all(type(token) is int for token in ids):
        raise ValueError(f"its {name} has no token_ids")
    return ids


def layer_states(layer: object, components: object) -> tuple[int, torch.Tensor]:
    """One layer's states of the residual stream; other components beside it are passed over."""
    import torch

    if not isinstance(layer, int) and not (isinstance(layer, str) and layer.isdecimal()):
        raise ValueError(f"{layer!r} is no layer")
    states = components.get("residual") if isinstance(components, dict) else None
    if not isinstance(states, torch.Tensor) or states.dim() != 2:
        raise ValueError(f"layer {layer} holds no states [tokens, hidden] of the residual stream")
    if dtype_name(states) not in DTYPES:
        raise ValueError(f"layer {layer} is in {dtype_name(states)}, not one of {', '.join(DTYPES)}")
    return int(layer), states.detach()


def dtype_name(states: torch.Tensor) -> str:
    """torch's name of a dtype, `bfloat16`."""
    return str(states.dtype).removeprefix("torch.")
