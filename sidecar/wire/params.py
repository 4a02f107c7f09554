"""Reads a request's params and says by name what is missing or of the wrong type.

Every function raises SidecarError of kind `bad-input`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import bad_input

Params = Mapping[str, Any]


def text(params: Params, name: str) -> str:
    """A string that can be written as UTF-8."""
    value = params.get(name)
    if not isinstance(value, str):
        raise wrong(name, "a string", value)
    if not is_unicode(value):
        raise bad_input(f"'{name}' holds half of a surrogate pair: it is not valid Unicode")
    return value


def optional_text(params: Params, name: str) -> str | None:
    """A string, or None for null or absent."""
    return None if params.get(name) is None else text(params, name)


def integer(params: Params, name: str, least: int) -> int:
    """A whole number of at least `least`."""
    value = params.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise wrong(name, f"a whole number of at least {least}", value)
    return value


def optional_integer(params: Params, name: str, least: int) -> int | None:
    """A whole number of at least `least`, or None for null or absent."""
    return None if params.get(name) is None else integer(params, name, least)


def flag(params: Params, name: str) -> bool:
    """True or false; absent is false."""
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise wrong(name, "true or false", value)
    return value


def number(params: Params, name: str) -> float:
    """A finite number."""
    value = params.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise wrong(name, "a finite number", value)
    return float(value)


def items(params: Params, name: str) -> list[Params]:
    """A list of objects."""
    value = params.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong(name, "a list of objects", value)
    return value


def optional_section(params: Params, name: str) -> Params:
    """An object, an empty one for null or absent."""
    return {} if params.get(name) is None else section(params, name)


def section(params: Params, name: str) -> Params:
    """An object."""
    value = params.get(name)
    if not isinstance(value, dict):
        raise wrong(name, "an object", value)
    return value


def texts(of: Sequence[Params], name: str) -> list[str]:
    """`text` of many."""
    values = [params.get(name) for params in of]
    if all(type(value) is str for value in values) and is_unicode("".join(values)):
        return values
    return [text(params, name) for params in of]


def integers(of: Sequence[Params], name: str, least: int) -> list[int]:
    """`integer` of many."""
    values = [params.get(name) for params in of]
    if all(type(value) is int for value in values) and min(values, default=least) >= least:
        return values
    return [integer(params, name, least) for params in of]


def numbers(of: Sequence[Params], name: str) -> list[float]:
    """`number` of many."""
    return [number(params, name) for params in of]


def labels(params: Params, name: str) -> dict[str, str]:
    """An object of strings; a number is taken as its text."""
    found = section(params, name)
    if not all(isinstance(value, str | int) and not isinstance(value, bool) for value in found.values()):
        raise wrong(name, "an object of strings", found)
    return {key: str(value) for key, value in found.items()}


def unique(names: Sequence[str], what: str) -> None:
    """Raises when a name appears twice: results are told apart by it."""
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise bad_input(f"{what} '{name}' appears twice in the request")
        seen.add(name)


def is_unicode(value: str) -> bool:
    """Whether `value` has a UTF-8 form."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def wrong(name: str, wanted: str, value: object) -> Exception:
    """The error for a value of the wrong type."""
    if value is None:
        return bad_input(f"'{name}' is missing: {wanted} is needed")
    shown = repr(value)
    return bad_input(f"'{name}' must be {wanted}, not {shown if len(shown) <= 60 else shown[:57] + '...'}")
