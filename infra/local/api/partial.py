"""Partial responses: the query parameter `fields`, which says what of an answer a client wants.

Syntax: https://cloud.google.com/storage/docs/json_api#partial-response: "items(id,name),nextPageToken,a/b,*".
"""

import re
from collections.abc import Iterator
from typing import Any

from infra.local.api.errors import ApiError, invalid

_TOKEN = re.compile(r"[\w*@.\[\]-]+|[(),/]")
_LONGEST = 2000

Selection = dict[str, Any]


def selection(text: str) -> Selection:
    """What `fields` selects: names with what is selected in them, {} for all of it. Raises ApiError, 400."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text.replace(" ", "") or len(text) > _LONGEST:
        raise invalid_fields(text)
    try:
        made, end = _list(iter(tokens), 0)
    except ValueError:
        raise invalid_fields(text) from None
    if end or not made:
        raise invalid_fields(text)
    return made


def select(answer: Any, wanted: Selection) -> Any:
    """The selected part of an answer; a list is selected from in each of its elements."""
    if not wanted:
        return answer
    if isinstance(answer, list):
        return [select(each, wanted) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: select(value, wanted.get(name) or wanted.get("*", {}))
        for name, value in answer.items()
        if name in wanted or "*" in wanted
    }


def paths(wanted: Selection, above: str = "") -> Iterator[str]:
    """The selected fields as dotted paths."""
    for name, inner in wanted.items():
        path = f"{above}.{name}" if above else name
        if inner:
            yield from paths(inner, path)
        else:
            yield path


def invalid_fields(path: str) -> ApiError:
    """400 for a selection of what no answer has."""
    text = f"Error expanding 'fields' parameter. Cannot find matching fields for path '{path[:80]}'."
    return invalid("Request contains an invalid argument.", [("fields", text)])


def _list(tokens: Iterator[str], depth: int) -> tuple[Selection, str]:
    """Names up to a closing parenthesis or the end, and the token that ended them. Raises ValueError."""
    made: Selection = {}
    while True:
        path = [next(tokens, "")]
        inner: Selection = {}
        mark = next(tokens, "")
        while mark == "/":
            path.append(next(tokens, ""))
            mark = next(tokens, "")
        if mark == "(" and depth < 20:
            inner, closing = _list(tokens, depth + 1)
            if closing != ")" or not inner:
                raise ValueError(path)
            mark = next(tokens, "")
        if any(name in {"", "(", ")", ",", "/"} for name in path) or mark not in {",", ")", ""}:
            raise ValueError(path)
        at = made
        for name in path[:-1]:
            at = at.setdefault(name, {})
        at[path[-1]] = inner
        if mark != ",":
            return made, mark
