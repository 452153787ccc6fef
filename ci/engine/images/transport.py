"""HTTP as this host is set up for it, with the patience that registries and mirrors need."""

import contextlib
import fcntl
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import anyio
import httpx

ATTEMPTS = 4
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 30.0


class CutOff(httpx.TransportError):
    """The connection ended before all bytes had come."""


def client(*, proxies: Mapping[str, str] | None = None, connect: float = 10.0) -> httpx.AsyncClient:
    """A client that trusts what the host trusts and goes through its proxies.

    Certificates are OpenSSL's own (SSL_CERT_FILE, SSL_CERT_DIR or the system's); proxies are those of the
    environment, or `proxies` by scheme. `connect` is the longest wait for a connection, in seconds.
    """
    trust = ssl.create_default_context()
    mounts: dict[str, httpx.AsyncHTTPTransport | None] = {
        f"{scheme}://": httpx.AsyncHTTPTransport(proxy=url, verify=trust)
        for scheme, url in (proxies or {}).items()
    }
    # No proxy can lead to this very machine.
    mounts |= dict.fromkeys(("all://localhost", "all://127.0.0.1", "all://[::1]"))
    return httpx.AsyncClient(
        verify=trust,
        mounts=mounts,
        timeout=httpx.Timeout(60.0, connect=connect),
        limits=httpx.Limits(max_connections=16),
        follow_redirects=True,
        headers={"user-agent": "shipway"},
    )


@contextlib.asynccontextmanager
async def send(
    session: httpx.AsyncClient, request: httpx.Request, *, attempts: int = ATTEMPTS
) -> AsyncIterator[httpx.Response]:
    """Send a request; a busy or broken server is asked again, as politely as it wishes.

    Raises httpx.TransportError when no attempt got an answer; the last answer is given whatever its status.
    """
    for attempt in range(1, attempts + 1):
        try:
            response = await session.send(request, stream=True)
        except httpx.TransportError:
            if attempt == attempts:
                raise
            await anyio.sleep(_pause(attempt, None))
            continue
        if response.status_code in _RETRIED and attempt < attempts:
            await response.aclose()
            await anyio.sleep(_pause(attempt, response))
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
) -> None:
    """Append to `file` what it lacks of the resource at `url`, resuming when the connection breaks.

    `size` is the whole resource's, in bytes. Raises httpx.HTTPStatusError, httpx.TransportError, OSError.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            have = file.seek(0, os.SEEK_END)
            if size is not None and have == size:
                return
            if size is not None and have > size:
                have = file.truncate(0)
            await _rest(session, url, file, have, headers or {})
            if size is not None and file.tell() < size:
                raise CutOff(f"{url} ended after {file.tell()} of {size} bytes")
        except httpx.TransportError:
            if attempt == ATTEMPTS:
                raise
            await anyio.sleep(_pause(attempt, None))
        else:
            return


async def _rest(
    session: httpx.AsyncClient, url: str, file: BinaryIO, have: int, headers: Mapping[str, str]
) -> None:
    wanted = {**headers, "accept-encoding": "identity"}
    if have:
        wanted["range"] = f"bytes={have}-"
    async with send(session, session.build_request("GET", url, headers=wanted)) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            file.truncate(0)
            raise CutOff(f"{url} does not continue after {have} bytes")
        if response.is_error:
            # Whoever handles the error may want to know what was said.
            await response.aread()
            response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            file.seek(0)
            file.truncate()
        async for chunk in response.aiter_bytes():
            file.write(chunk)
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


def _pause(attempt: int, response: httpx.Response | None) -> float:
    asked = response.headers.get("retry-after", "") if response is not None else ""
    return min(float(asked), _LONGEST_WAIT) if asked.isdigit() else 0.25 * 2**attempt
