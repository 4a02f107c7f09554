"""Looks at a folder from outside before anything in it is loaded: safetensors only, and no code of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import bad_input


def check_model_folder(folder: Path) -> None:
    """Refuses a folder that would need code of its own or weights that are not safetensors, before any import."""
    if not (folder / "config.json").is_file():
        raise bad_input("'path' is not a model folder: it has no config.json")
    for name in ("config.json", "tokenizer_config.json", "processor_config.json"):
        settings = read_settings(folder / name)
        if "auto_map" in settings:
            raise bad_input(f"{name} has an auto_map: models that bring their own code are refused")
    weights = [name for name in ("model.safetensors", "model.safetensors.index.json") if (folder / name).is_file()]
    if not weights:
        raise bad_input("the model folder has no model.safetensors: only safetensors weights are loaded")


def read_settings(path: Path) -> dict[str, Any]:
    """A JSON object, {} when the file is not there. Raises SidecarError of kind `bad-input` for anything else."""
    if not path.is_file():
        return {}
    try:
        settings = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise bad_input(f"{path.name} is not JSON: {error}") from None
    if not isinstance(settings, dict):
        raise bad_input(f"{path.name} does not hold an object")
    return settings
