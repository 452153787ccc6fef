"""HTTP as this host is set up for it, with the patience that registries and mirrors need."""

import contextlib
import fcntl
import functools
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

import anyio
import httpx

ATTEMPTS = 4
#: Seconds without a byte after which a connection counts as dead.
IDLE = 30.0
#: Seconds to wait after the first attempt.
FIRST_WAIT = 0.5
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
#: The longest wait, in seconds, that a server may ask for; whoever wants more is not asked again.
_LONGEST_WAIT = 30.0
#: An attempt that brought this many bytes was worth it, and is not counted.
_PROGRESS = 1 << 20
#: A server that sends fewer bytes a second than this, over the time that counts as idle, has stalled.
_SLOWEST = 100


class CutOff(httpx.TransportError):
    """The connection ended, or as good as ended, before all bytes had come."""


class TooLong(Exception):
    """More bytes came than there are to be."""


def client(
    *,
    proxies: Mapping[str, str] | None = None,
    connect: float = 10.0,
    idle: float = IDLE,
    trust: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client that trusts what the host trusts and goes through its proxies.

    Certificates are those of `trust`, or else OpenSSL's own (SSL_CERT_FILE, SSL_CERT_DIR or the system's);
    proxies are those of the environment, or `proxies` by scheme. `connect` is the longest wait for a
    connection and `idle` that for the next byte, in seconds.
    """
    trust = trust or _usual_trust()
    mounts: dict[str, httpx.AsyncHTTPTransport | None] = {
        f"{scheme}://": httpx.AsyncHTTPTransport(proxy=url, verify=trust)
        for scheme, url in (proxies or {}).items()
    }
    # No proxy can lead to this very machine.
    mounts |= dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
    return httpx.AsyncClient(
        verify=trust,
        mounts=mounts,
        timeout=httpx.Timeout(idle, connect=connect),
        limits=httpx.Limits(max_connections=16),
        follow_redirects=True,
        headers={"user-agent": "shipway"},
    )


@functools.cache
def _usual_trust() -> ssl.SSLContext:
    # Reading all certificates of a host takes as long as ten requests.
    return ssl.create_default_context()


@contextlib.asynccontextmanager
async def send(
    session: httpx.AsyncClient,
    request: httpx.Request,
    *,
    attempts: int = ATTEMPTS,
    reconnect: bool = True,
) -> AsyncIterator[httpx.Response]:
    """Send a request; a busy or broken server is asked again, as politely as it wishes.

    Without `reconnect`, a connection that breaks is not tried again. Raises httpx.TransportError when no
    attempt got an answer; the last answer is given whatever its status.
    """
    # What is sent with a request, a token perhaps, is for the one that it is sent to.
    follow = request.method in {"GET", "HEAD"}
    for attempt in range(1, attempts + 1):
        try:
            response = await session.send(request, stream=True, follow_redirects=follow)
        except httpx.TransportError:
            if attempt == attempts or not reconnect:
                raise
            await anyio.sleep(backoff(attempt))
            continue
        wait = _pause(attempt, response)
        if response.status_code in _RETRIED and attempt < attempts and wait <= _LONGEST_WAIT:
            await response.aclose()
            await anyio.sleep(wait)
            continue
        try:
            yield response
        finally:
            await response.aclose()
        return


async def download(
    session: httpx.AsyncClient,
    url: str,
    file: BinaryIO,
    *,
    size: int | None = None,
    headers: Mapping[str, str] | None = None,
    attempts: int = ATTEMPTS,
) -> None:
    """Append to `file` what it lacks of the resource at `url`, resuming when the connection breaks.

    `size` is the whole resource's, in bytes. It gives up after `attempts` that brought next to nothing.
    Raises httpx.HTTPStatusError, httpx.TransportError, TooLong, OSError.
    """
    failed = 0
    while True:
        have = file.seek(0, os.SEEK_END)
        if size is not None and have == size:
            return
        if size is not None and have > size:
            have = file.truncate(0)
        wanted = {**(headers or {}), "accept-encoding": "identity"}
        if have:
            wanted["range"] = f"bytes={have}-"
        try:
            await _rest(session, session.build_request("GET", url, headers=wanted), file, size, attempts)
            if size is not None and file.tell() < size:
                raise CutOff(f"{url} ended after {file.tell()} of {size} bytes")
        except httpx.TransportError:
            failed = 1 if file.seek(0, os.SEEK_END) - have >= _PROGRESS else failed + 1
            if failed >= attempts:
                raise
            await anyio.sleep(backoff(failed))
        else:
            return


async def _rest(
    session: httpx.AsyncClient, request: httpx.Request, file: BinaryIO, size: int | None, attempts: int
) -> None:
    # A connection that breaks is counted by the caller, which knows whether anything had come.
    async with send(session, request, attempts=attempts, reconnect=False) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            file.truncate(0)
            raise CutOff(f"{request.url} does not continue after what had come")
        if response.is_error:
            # Whoever handles the error may want to know what was said.
            await response.aread()
            response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            file.seek(0)
            file.truncate()
        await _body(response, file, None if size is None else size - file.tell())


async def _body(response: httpx.Response, file: BinaryIO, left: int | None) -> None:
    idle = response.request.extensions.get("timeout", {}).get("read") or IDLE
    since, came = time.monotonic(), 0
    async for chunk in response.aiter_bytes():
        if left is not None and len(chunk) > left:
            raise TooLong(f"{response.request.url} goes on after all its bytes have come")
        left = None if left is None else left - len(chunk)
        came += len(chunk)
        file.write(chunk)
        if (now := time.monotonic()) - since > idle:
            if came < _SLOWEST * idle:
                raise CutOff(f"{response.request.url} stalls: {came} bytes in {now - since:.1f} s")
            since, came = now, 0
    file.flush()


@contextlib.contextmanager
def partial(folder: Path, name: str) -> Iterator[tuple[Path, BinaryIO]]:
    """A file to download to, which another run goes on with when this one is cut off.

    While another process is at it, a file of this process's own. What is not taken away by the caller stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.part"
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking, the other one may have finished and moved the file away.
            ours = path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
        except BlockingIOError:
            ours = False
        if ours:
            yield path, file
            return
    path = folder / f"{name}.{os.getpid()}.part"
    try:
        with path.open("wb") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def backoff(attempt: int) -> float:
    """Seconds to wait after so many attempts, twice as long each time."""
    return float(FIRST_WAIT * 2 ** (attempt - 1))


def _pause(attempt: int, response: httpx.Response) -> float:
    """Seconds until the next attempt: what the server asks for (RFC 9110, 10.2.3), or ever more."""
    asked = response.headers.get("retry-after", "")
    if asked.isdigit():
        return float(asked)
    try:
        then = parsedate_to_datetime(asked)
    except ValueError:
        return backoff(attempt)
    return max((then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
