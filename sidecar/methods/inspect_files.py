"""`inspect_files`: what `.pt` files of recordings and vectors hold, for a report on them. Loads no model, writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import bad_input
from ..inference.residency import Resident
from ..stored.recordings import parse_recording
from ..stored.states import non_finite
from ..wire import params
from ..wire.progress import Progress
from .adopt import from_pickle, unit_of


def run(request: Mapping[str, Any], resident: Resident, progress: Progress) -> dict[str, Any]:
    """`{recordings, vectors}`, each in the order asked; a file that is none has `wrong` alone."""
    recordings, vectors = paths(request, "recordings"), paths(request, "vectors")
    progress.expect(len(recordings) + len(vectors))

    def each(names: list[str], facts: Callable[[bytes], dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for name in names:
            found.append(inspect(Path(name), facts))
            progress.advance(done=1)
        return found

    return {"recordings": each(recordings, recording_facts), "vectors": each(vectors, vector_facts)}


def inspect(path: Path, facts: Callable[[bytes], dict[str, Any]]) -> dict[str, Any]:
    """The facts of one file, or what is wrong with it."""
    try:
        return facts(path.read_bytes())
    except ValueError as error:
        return {"wrong": str(error)}
    except OSError as error:
        raise bad_input(f"{path} cannot be read ({error.strerror})") from None


def recording_facts(data: bytes) -> dict[str, Any]:
    """Token ids, and of each layer how many states of how many values there are, and how many are not finite."""
    recording = parse_recording(data)
    layers = [
        {"layer": layer, "tokens": len(states), "hidden": states.shape[1], "nonFinite": non_finite(states)}
        for layer, states in sorted(recording.states.items())
    ]
    return {"promptIds": recording.prompt_ids, "responseIds": recording.response_ids, "layers": layers}


def vector_facts(data: bytes) -> dict[str, Any]:
    """How many values a vector has."""
    values = from_pickle(data)
    if values.ndim != 1:
        raise ValueError(f"it holds a tensor of shape {list(values.shape)}, not a vector")
    unit_of(values)
    return {"hidden": len(values)}


def paths(request: Mapping[str, Any], name: str) -> list[str]:
    """A list of paths of the request."""
    value = request.get(name)
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        raise params.wrong(name, "a list of texts", value)
    return value
