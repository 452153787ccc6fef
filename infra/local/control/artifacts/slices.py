"""Pages and orders of lists that are made up as they are asked for, out of what the registry knows."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from infra.local.api.errors import invalid
from infra.local.state.shelf import DEFAULT_PAGE, MAX_PAGE

T = TypeVar("T")
_TOKEN = re.compile(r"([0-9]{1,9}):(.+)", re.DOTALL)


def cut(items: Sequence[T], key: Callable[[T], str], size: int, token: str) -> tuple[Sequence[T], str]:
    """A page of items that are in an order, and the token of the next one. Raises ApiError, 400.

    A token is the key of the last item that was seen, so that one that goes away meanwhile does no harm to
    the rest, as long as the others stay where they are.
    """
    if size < 0:
        raise invalid("The page size is negative.", [("page_size", "The page size must not be negative.")])
    start = 0
    if token:
        place, after = _read(token)
        keys = [key(item) for item in items]
        start = keys.index(after) + 1 if after in keys else min(place, len(items))
    end = start + min(size or DEFAULT_PAGE, MAX_PAGE)
    return items[start:end], _token(end, key(items[end - 1])) if end < len(items) else ""


def ordered(items: Sequence[T], order_by: str, keys: Mapping[str, Callable[[T], Any]]) -> list[T]:
    """Items in the order of "field", or "field desc". Raises ApiError, 400, for a field not in `keys`."""
    words = order_by.split()
    if not words:
        return list(items)
    name = words[0]
    if name not in keys or len(words) > 2 or words[1:] not in ([], ["asc"], ["desc"]):
        text = f"Invalid order_by: {order_by[:80]}. Supported: {', '.join(keys)}."
        raise invalid(text, [("order_by", text)])
    return sorted(items, key=keys[name], reverse=words[1:] == ["desc"])


def _token(place: int, key: str) -> str:
    return base64.urlsafe_b64encode(f"{place}:{key}".encode()).decode().rstrip("=")


def _read(token: str) -> tuple[int, str]:
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    found = _TOKEN.fullmatch(text)
    if found is None:
        raise invalid("Page token is invalid.", [("page_token", "Page token is invalid.")])
    return int(found[1]), found[2]
