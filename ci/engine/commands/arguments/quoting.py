"""Texts as Go quotes them in messages, and lists as Go's CSV reader reads them from one argument."""

import csv
import io
import json
from collections.abc import Iterable


def quoted(text: str) -> str:
    """A text in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def split_list(text: str) -> list[str]:
    """The items of a list that is one argument: separated by commas, in double quotes where one has a comma.

    Raises:
        ValueError: a quote is where none may be.
    """
    if not text:
        return []
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"parse error on line 1: {error}") from None


def joined_list(items: Iterable[str]) -> str:
    """The items as one argument."""
    found = io.StringIO()
    csv.writer(found, lineterminator="").writerow(list(items))
    return found.getvalue()
