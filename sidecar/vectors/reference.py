"""What all traits of a step have in common, so that it can be taken out of each of their vectors."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import bad_input
from ..model.base import Base
from ..wire.progress import Progress
from .contrast import Group, mean_states, parse_pairs
from .directions import fit

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Measured:
    """The last reference's directions by layer, and what they were measured on."""

    base: weakref.ref[Base]
    asked: tuple[Group, str | None, int | None]
    directions: Mapping[int, np.ndarray]


# The traits of a step share a reference: their requests find it measured.
_last: Measured | None = None


def parse_reference(request: Mapping[str, Any], groups: Sequence[Group]) -> Group | None:
    """The reference pairs, wanted at every layer that a group wants; None when the request has none."""
    if request.get("reference") is None:
        return None
    pairs = parse_pairs(request, "reference")
    if not pairs:
        raise bad_input("'reference' has no pairs")
    layers = sorted({layer for group in groups for layer, _ in group.wanted})
    return Group("reference", pairs, tuple((layer, "mean_diff") for layer in layers))


def reference_directions(
    base: Base, reference: Group, system_prompt: str | None, first: int | None, progress: Progress, room: int
) -> Mapping[int, np.ndarray]:
    """By layer, the unit mean difference of the reference pairs, float32 `[hidden]`.

    Raises SidecarError of kind `bad-input` when the pairs have none.
    """
    global _last
    asked = (reference, system_prompt, first)
    if _last is None or _last.base() is not base or _last.asked != asked:
        means = mean_states(base, reference, system_prompt, first, progress, room)
        try:
            directions = {layer: fit("mean_diff", *sides).vector for layer, sides in means.items()}
        except ValueError as error:
            raise bad_input(f"'reference': {error}") from None
        _last = Measured(weakref.ref(base), asked, directions)
    return _last.directions


def without(states: np.ndarray, direction: np.ndarray | None) -> np.ndarray:
    """`states` `[pairs, hidden]` with what lies along the unit `direction` taken out: `h - (h · r) r`."""
    return states if direction is None else states - (states @ direction)[:, None] * direction
