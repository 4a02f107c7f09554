"""Response records: the token ids of a prompt and of the answer to it."""

from __future__ import annotations

import json

from ..errors import bad_input
from .refs import Ref, read_ref


def read_response(name: str, response: Ref) -> tuple[list[int], int]:
    """The ids of a record, and how many of them are the prompt's; the answer has one at least.

    `name` is told in errors. Raises SidecarError: `corrupt`, or `bad-input` for what is no record.
    """
    try:
        record = json.loads(read_ref(response))
        ids, start = record["token_ids"], record["prompt_end"]
        fits = all(type(token) is int for token in ids) and type(start) is int and 0 <= start < len(ids)
    except (ValueError, KeyError, TypeError):
        fits = False
    if not fits:
        raise bad_input(f"{name}: its response is not a record with token_ids and a prompt_end before its end")
    return ids, start
