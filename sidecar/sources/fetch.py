"""Fetches models and adapters from a Hugging Face hub. No other program here uses the network.

`python -m sidecar.sources.fetch` reads one JSON object from stdin:
`{"keep_free": bytes, "wanted": [{"kind": "model" | "adapter", "repository": "OWNER/NAME", "revision": 40 hex, "out": folder}]}`
and writes one to stdout: `{"problems": [{"wanted": index | null, "message", "hint"}]}`. stderr is for people. A repository is looked at before any is fetched; each file is checked against the hub's digest; a folder appears
under its name when it is whole, with `fetched.json` beside its files. What was fetched before a failure is kept in
`OUT.part`, and the next call goes on with it. `HF_TOKEN` and `HF_ENDPOINT` are huggingface_hub's own.

Asked with `{"pin": [{"repository", "revision": branch, tag or null for the default branch}]}` in place of `wanted`, it fetches
nothing and writes `{"problems", "commits": [40 hex | null]}`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

# The rest of the package is offline; read by huggingface_hub when it is imported.
os.environ["HF_HUB_OFFLINE"] = "0"

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

RECORD = "fetched.json"
PART = ".part"
MODEL_FILES = {
    "config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja",
}  # fmt: skip
OTHER_FORMAT = "consolidated"  # Mistral's own, beside the one that transformers reads
ADAPTER_FILES = {"adapter_config.json", "adapter_model.safetensors"}
CHUNK = 1 << 20
COMMIT = 40  # hex digits


class Refused(Exception):
    """Why something cannot be fetched, and what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Wanted:
    """One repository at one commit, for one folder."""

    kind: str
    repository: str
    revision: str
    out: Path

    @property
    def part(self) -> Path:
        """Where files lie until all are there."""
        return self.out.with_name(self.out.name + PART)


@dataclass(frozen=True)
class Listed:
    """A file of a repository: its size in bytes, and its digest as the hub gives it."""

    name: str
    bytes: int
    sha256: str | None  # of files in large file storage
    blob: str | None  # git's SHA-1 of the others


def main() -> int:
    """Returns the exit code: 0 when all is there, 1 when something is not."""
    request = json.load(sys.stdin)
    if "pin" in request:
        commits, problems = pin_all([(one["repository"], one["revision"]) for one in request["pin"]])
        json.dump({"problems": problems, "commits": commits}, sys.stdout)
        return 1 if problems else 0
    wanted = [Wanted(one["kind"], one["repository"], one["revision"], Path(one["out"])) for one in request["wanted"]]
    try:
        problems = fetch_all(wanted, int(request["keep_free"]), say)
    except KeyboardInterrupt:
        problems = [{"wanted": None, "message": "stopped", "hint": "what arrived is kept; fetch again to go on"}]
    json.dump({"problems": problems}, sys.stdout)
    return 1 if problems else 0


def pin_all(named: list[tuple[str, str | None]]) -> tuple[list[str | None], list[dict[str, Any]]]:
    """The commit that each repository's revision (None: its default branch) names now, and problems."""
    from huggingface_hub import HfApi

    commits: list[str | None] = []
    problems: list[dict[str, Any]] = []
    hub = HfApi()
    for index, (name, revision) in enumerate(named):
        try:
            commits.append(asked(name, revision, partial(hub.model_info, name, revision=revision, timeout=30)).sha)
        except Refused as error:
            commits.append(None)
            problems.append({"wanted": index, "message": str(error), "hint": error.hint})
    return commits, problems


def fetch_all(wanted: list[Wanted], keep_free: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Problems. Nothing is fetched when something is known from the start to be in the way."""
    problems: list[dict[str, Any]] = []
    listings: list[list[Listed]] = []

    def collect(index: int | None, work: Callable[[], None]) -> None:
        try:
            work()
        except Refused as error:
            problems.append({"wanted": index, "message": str(error), "hint": error.hint})

    for index, one in enumerate(wanted):
        collect(index, lambda one=one: listings.append(listed(one)))  # type: ignore[misc]
    if not problems:
        collect(None, lambda: check_room(wanted, listings, keep_free))
    if not problems:
        for index, (one, files) in enumerate(zip(wanted, listings, strict=True)):
            collect(index, lambda one=one, files=files: fetch(one, files, say))  # type: ignore[misc]
    return problems


def listed(wanted: Wanted) -> list[Listed]:
    """The files to fetch. Raises Refused when the hub does not give them, or when they are no safetensors."""
    from huggingface_hub import HfApi

    name, revision = wanted.repository, wanted.revision
    info = asked(name, revision, partial(HfApi().model_info, name, revision=revision, files_metadata=True, timeout=30))
    if info.sha != wanted.revision:
        raise Refused(f"the hub gives commit {info.sha} of {wanted.repository} for {wanted.revision}", "is HF_ENDPOINT the right hub?")
    present = {sibling.rfilename: sibling for sibling in info.siblings or []}
    names = [name for name in present if is_wanted(wanted.kind, name)]
    weights = [name for name in names if name.endswith(".safetensors")]
    needed = "adapter_config.json" if wanted.kind == "adapter" else "config.json"
    if not weights:
        raise Refused(
            f"{wanted.repository} has no safetensors at {wanted.revision}", "other weights can hold programs and are not fetched"
        )
    if needed not in names:
        raise Refused(f"{wanted.repository} has no {needed} at {wanted.revision}: it is no {wanted.kind}", "is the name right?")
    return [as_listed(present[name], wanted) for name in sorted(names)]


def is_wanted(kind: str, name: str) -> bool:
    """Files at the top of the repository only: no code, no pickles, no second copy of the weights in another format."""
    if kind == "adapter":
        return name in ADAPTER_FILES
    return name in MODEL_FILES or (name.endswith(".safetensors") and "/" not in name and not name.startswith(OTHER_FORMAT))


def as_listed(sibling: RepoSibling, wanted: Wanted) -> Listed:
    """Raises Refused when there is no digest to check the file against."""
    sha256 = sibling.lfs.sha256 if sibling.lfs else None
    if sibling.size is None or (sha256 is None and sibling.blob_id is None):
        raise Refused(f"the hub gives no size or digest of {sibling.rfilename} of {wanted.repository}", "try again later")
    return Listed(sibling.rfilename, sibling.size, sha256, sibling.blob_id)


def check_room(wanted: list[Wanted], listings: list[list[Listed]], keep_free: int) -> None:
    """Raises Refused when the disk cannot hold what is still to be fetched."""
    missing = sum(
        file.bytes - min(file.bytes, size_of(one.part / file.name))
        for one, files in zip(wanted, listings, strict=True)
        for file in files
    )
    folder = next(parent for parent in wanted[0].out.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    if missing + keep_free > free:
        raise Refused(
            f"the disk of {folder} is too small: {in_words(free)} are free, "
            f"{in_words(missing + keep_free)} are needed ({in_words(keep_free)} of them in reserve)",
            "free some room, or put the store on another disk with --store",
        )


def fetch(wanted: Wanted, files: list[Listed], say: Callable[[str], None]) -> None:
    """Makes `wanted.out`. Raises Refused with what went wrong; what is there by then is kept for the next call."""
    from huggingface_hub import hf_hub_download

    say(f"{wanted.repository} at {wanted.revision}: {len(files)} files, {in_words(sum(file.bytes for file in files))}")
    part = wanted.part
    part.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files, 1):
        target = part / file.name
        if not is_whole(target, file):
            asked(
                wanted.repository,
                wanted.revision,
                lambda file=file: hf_hub_download(wanted.repository, file.name, revision=wanted.revision, local_dir=part),  # type: ignore[misc]
            )
        if not is_whole(target, file):
            target.unlink(missing_ok=True)
            raise Refused(f"{file.name} of {wanted.repository} arrived damaged", "fetch it again")
        say(f"  {file.name}  {in_words(file.bytes)}  ({number} of {len(files)})")
    shutil.rmtree(part / ".cache", ignore_errors=True)
    record = {
        "repository": wanted.repository,
        "revision": wanted.revision,
        "files": {file.name: {"bytes": file.bytes, "sha256": file.sha256, "git_blob": file.blob} for file in files},
    }
    (part / RECORD).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    part.rename(wanted.out)


def is_whole(path: Path, file: Listed) -> bool:
    """Whether a file is there with the hub's digest."""
    if size_of(path) != file.bytes or not path.is_file():
        return False
    hasher = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.bytes, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest() == (file.sha256 or file.blob)


def size_of(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def asked(name: str, revision: str | None, call: Callable[[], Any]) -> Any:
    """What the hub answers. Raises Refused in words: whose name is wrong, what is closed, what cannot be reached."""
    from huggingface_hub import errors

    try:
        return call()
    except errors.GatedRepoError:
        raise Refused(f"{name} is gated", "ask for access on its page, then set HF_TOKEN to a token that has it") from None
    except errors.RevisionNotFoundError:
        if len(revision or "") == COMMIT:
            raise Refused(f"{name} has no commit {revision}", "pin a commit of the repository") from None
        raise Refused(f"{name} has no branch or tag {revision}", "leave the revision out for its default branch") from None
    except errors.RepositoryNotFoundError:
        raise Refused(f"the hub has no repository {name}", "is the name right? A private one needs HF_TOKEN") from None
    except Exception as error:
        what = str(error).strip().split("\n")[0] or type(error).__name__
        raise Refused(f"{name} cannot be had: {what}", "is there a network? HF_ENDPOINT names another hub; fetching again goes on") from None


def in_words(size: int) -> str:
    """`12.3 GB`; decimal units."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def say(text: str) -> None:
    """For people."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
