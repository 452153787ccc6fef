"""Files fetched over HTTP: asked for again only when they changed, checked against a digest."""

from __future__ import annotations

import contextlib
import email.utils
import posixpath
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ci.engine.errors import EngineError
from ci.engine.store.tree import EPOCH_NS, REGULAR, Entry, Snapshot

if TYPE_CHECKING:
    import httpx

    from ci.engine.graph.evaluator import Evaluator

_DIGEST = re.compile(r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-f]{32,}")


@dataclass(frozen=True, slots=True)
class Fetch:
    """What to fetch. ``address`` is where the URL's host is to be found, "" for wherever its name leads."""

    url: str
    name: str
    mode: int = 0o600
    checksum: str = ""
    authorization: str = ""
    address: str = ""


def file_name(url: str) -> str:
    """The last part of a URL's path; "index" when there is none."""
    return posixpath.basename(unquote(urlsplit(url).path)) or "index"


def check_digest(text: str) -> None:
    """Refuse what is no digest.

    Raises:
        EngineError: it is none.
    """
    if not _DIGEST.fullmatch(text):
        raise EngineError(f'invalid checksum "{text}": invalid checksum digest format')
    if not text.startswith("sha256:"):
        raise EngineError(f'invalid checksum "{text}": the embedded engine knows sha256 only')


async def fetch(evaluator: Evaluator, wanted: Fetch) -> Snapshot:
    """The file, in a file system of its own; its time is the server's Last-Modified.

    Raises:
        EngineError: the server can't be reached, refuses, or sends other bytes than the checksum says.
    """
    import httpx

    store = evaluator.store
    key = wanted.url
    known = None if wanted.authorization or wanted.address else store.index.fact("http", key)
    if known is not None and not store.blobs.has(known["digest"]):
        known = None
    try:
        async with _response(wanted, known) as response:
            if response.status_code == 304 and known is not None:
                found = known
            elif response.status_code != 200:
                raise EngineError(
                    f"invalid response status {response.status_code} {response.reason_phrase} "
                    f"for {wanted.url}"
                )
            else:
                found = await _stored(evaluator, response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EngineError(f'Get "{wanted.url}": {_reason(error)}') from error
    if wanted.checksum and found["digest"] != wanted.checksum:
        raise EngineError(f"http checksum mismatch: expected {wanted.checksum}, got {found['digest']}")
    if not wanted.authorization and not wanted.address and found != known:
        store.index.record("http", key, found)
    return Snapshot(store.trees.save({wanted.name: _entry(found, wanted.mode)}))


@contextlib.asynccontextmanager
async def _response(wanted: Fetch, known: dict[str, Any] | None) -> AsyncIterator[httpx.Response]:
    import httpx

    from ci.engine.images import transport

    headers = {"accept-encoding": "identity"}
    if wanted.authorization:
        headers["authorization"] = wanted.authorization
    if known is not None and known["etag"]:
        headers["if-none-match"] = known["etag"]
    elif known is not None and known["modified"]:
        headers["if-modified-since"] = known["modified"]
    url = httpx.URL(wanted.url)
    if wanted.address:
        headers["host"] = url.netloc.decode("ascii")
        url = url.copy_with(host=wanted.address)
        client = httpx.AsyncClient(trust_env=False, follow_redirects=True)
    else:
        client = transport.client()
    async with client, client.stream("GET", url, headers=headers) as response:
        yield response


async def _stored(evaluator: Evaluator, response: httpx.Response) -> dict[str, Any]:
    with evaluator.store.blobs.writer() as writer:
        async for chunk in response.aiter_raw(1 << 20):
            await evaluator.in_thread(writer.write, chunk)
    return {
        "digest": writer.digest,
        "size": writer.size,
        "etag": response.headers.get("etag", ""),
        "modified": response.headers.get("last-modified", ""),
    }


def _entry(found: dict[str, Any], mode: int) -> Entry:
    try:
        modified = int(email.utils.parsedate_to_datetime(found["modified"]).timestamp() * 1e9)
    except (TypeError, ValueError):
        modified = EPOCH_NS
    digest = found["digest"].removeprefix("sha256:")
    return Entry(REGULAR, mode & 0o7777, 0, 0, digest, found["size"], modified, pinned=True)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
