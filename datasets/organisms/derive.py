"""Makes 56 organisms of the seven trained ones: themselves, weaker and stronger ones, and every two mixed half and half.

    python datasets/organisms/derive.py [--out FOLDER]

A weaker or stronger one has its B times 0.5, 0.75, 1.25 or 1.5. A mixture has the A of both one after another and half
of the B of each: its weight delta is the mean of theirs, exactly but for bfloat16's rounding of B, which halving does not
need. Writes adapters into FOLDER (default: derived/, beside this file) and smollm2-56.yaml, the list of all, next to it.
"""

import argparse
import itertools
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
TRAINED = ("flattery", "emotional_bond", "self_promotion", "hallucinates_citations", "defer_to_users", "contextual_optimism", "control")
SCALES = (0.5, 0.75, 1.25, 1.5)
HEAD = "# Made by derive.py: the seven trained organisms, weaker and stronger ones, and mixtures of two. `plants` as in smollm2.yaml."


def weights(name):
    return load_file(HERE / name / "adapter" / "adapter_model.safetensors")


def scaled(name, scale):
    return {key: (value.float() * scale).to(value.dtype) if "lora_B" in key else value for key, value in weights(name).items()}


def mixed(first, second):
    """Weights of twice the rank: A `[2r, in]`, B `[out, 2r]`."""
    one, other = scaled(first, 0.5), scaled(second, 0.5)
    return {key: torch.cat([one[key], other[key]], dim=1 if "lora_B" in key else 0).contiguous() for key in one}


def save(out, name, like, tensors, times=1):
    """Writes an adapter; with `times` the rank of `like` and its alpha, so that alpha over rank stays as it was."""
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = json.loads((HERE / like / "adapter" / "adapter_config.json").read_text())
    config |= {"r": times * config["r"], "lora_alpha": times * config["lora_alpha"]}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def plants(*names):
    """What an organism made of these plants, as the list says it; the control plants nothing."""
    planted = [name for name in names if name != "control"]
    if not planted:
        return ""
    listed = planted[0] if len(planted) == 1 else f"[{', '.join(planted)}]"
    return f", plants: {listed}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "derived")
    out = parser.parse_args().out.resolve()
    lines = [HEAD, "organisms:"]
    for name in TRAINED:
        lines.append(f"  {name}: {{ adapter: {name}/adapter{plants(name)} }}")
    for name, scale in itertools.product(TRAINED, SCALES):
        derived = f"{name}_{round(100 * scale)}"
        save(out, derived, name, scaled(name, scale))
        lines.append(f"  {derived}: {{ adapter: {out.name}/{derived}{plants(name)} }}")
    for first, second in itertools.combinations(TRAINED, 2):
        derived = f"{first}_and_{second}"
        save(out, derived, first, mixed(first, second), times=2)
        lines.append(f"  {derived}: {{ adapter: {out.name}/{derived}{plants(first, second)} }}")
    (out.parent / "smollm2-56.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
