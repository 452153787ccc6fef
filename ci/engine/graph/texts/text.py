"""A file's bytes as the text that the API hands out, and what is found and replaced in it."""

from __future__ import annotations

import codecs

from ci.engine.errors import EngineError
from ci.engine.graph.texts.search import Query, search

#: What the API hands out of one file at most, in bytes.
LIMIT = 128 << 20


def _one_each(error: UnicodeError) -> tuple[str, int]:
    """Replace every undecodable byte by itself, as Go does."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101  # it is registered for decoding alone
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("engine.one-each", _one_each)


def decoded(data: bytes) -> str:
    """The bytes as text; each byte that is no UTF-8 becomes U+FFFD."""
    return data.decode("utf-8", "engine.one-each")


def lines(data: bytes, offset: int | None, limit: int | None) -> bytes:
    """The lines of ``data`` after the first ``offset``, ``limit`` of them at most.

    Raises:
        EngineError: they are more than the API hands out.
    """
    if limit == 0:
        return b""
    if offset is not None or limit is not None:
        chosen = data.split(b"\n")
        first = max(offset or 0, 0)
        last = len(chosen) if limit is None or limit < 0 else first + limit
        data = b"\n".join(chosen[first:last])
        data += b"\n" if max(first, last) < len(chosen) else b""
    if len(data) > LIMIT:
        raise EngineError(f"file size {len(data)} exceeds limit {LIMIT}")
    return data


def replaced(data: bytes, old: str, new: str, *, everywhere: bool, first_from: int | None) -> bytes:
    """``data`` with ``old`` replaced by ``new``: the only place, all, or the first from a line (from 1).

    Raises:
        EngineError: it is not there, or in several places and none is chosen.
    """
    found = search(data, Query(old, literal=True, multiline="\n" in old))
    found = [hit for hit in found if first_from is None or hit.line_number >= first_from]
    if not found:
        if everywhere:
            return data
        raise EngineError("search string not found")
    places = [f"line {hit.line_number} ({sub.start}-{sub.end})" for hit in found for sub in hit.submatches]
    if not everywhere and first_from is None and len(places) > 1:
        raise EngineError(f"search string found multiple times: {', '.join(places)}")
    skipped = 0
    for _ in range((first_from or 1) - 1):
        skipped = data.index(b"\n", skipped) + 1
    count = -1 if everywhere else 1
    search_for, put = old.encode("utf-8", "surrogateescape"), new.encode("utf-8", "surrogateescape")
    return data[:skipped] + data[skipped:].replace(search_for, put, count)
