"""A conversation with one registry about one repository: logs in, and gives errors their names."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import anyio.to_thread
import httpx

from ci.engine.images.errors import ImageError, ImageNotFound, RegistryDenied, RegistryUnreachable
from ci.engine.images.reference import Reference
from ci.engine.images.registry.auth import authorize
from ci.engine.images.registry.credentials import Credentials
from ci.engine.images.registry.endpoints import Place
from ci.engine.images.registry.settings import Settings
from ci.engine.images.transport import ATTEMPTS, IDLE, client, download, send

_MOST = 4 << 20  # bytes; the specification lets registries refuse larger manifests


@dataclass(frozen=True, slots=True)
class Manner:
    """How a registry is talked to: with which settings and logins, and how patiently (in seconds)."""

    settings: Settings = field(default_factory=Settings)
    credentials: Credentials = field(default_factory=Credentials)
    connect: float = 10.0
    idle: float = IDLE
    attempts: int = ATTEMPTS


@asynccontextmanager
async def conversation(
    place: Place, reference: Reference, actions: str, manner: Manner
) -> AsyncIterator["Session"]:
    """A session at a place; `actions` ("pull", "pull,push") are what it may do there.

    Raises RegistryUnreachable when a certificate of the host's own cannot be used.
    """
    host = place.base.partition("://")[2].partition("/")[0]
    trust = manner.settings.trust(host)
    if place.insecure:
        trust = trust or ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    async with client(connect=manner.connect, idle=manner.idle, trust=trust) as http:
        if place.insecure and not await _speaks_tls(http, place.base):
            place = replace(place, base=f"http://{host}")
        yield Session(http, place, reference, manner, actions)


async def _speaks_tls(http: httpx.AsyncClient, base: str) -> bool:
    """Whether an insecure registry answers over TLS, which is better than nothing."""
    try:
        await http.get(f"{base}/v2/")
    except httpx.TransportError:
        return False
    return True


@dataclass(slots=True)
class Session:
    """Talks to the API at `place` about `reference`; `actions` ("pull", "pull,push") are what it may do."""

    http: httpx.AsyncClient
    place: Place
    reference: Reference
    manner: Manner
    actions: str = "pull"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The registry's host and port."""
        return httpx.URL(self.place.base).netloc.decode()

    def url(self, path: str) -> str:
        """The address of something in the repository."""
        return f"{self.place.base}/v2/{self.place.repository}/{path}"

    @asynccontextmanager
    async def call(self, method: str, url: str, **options: Any) -> AsyncIterator[httpx.Response]:
        """Send a request, logging in when asked to; the answer is a success.

        Raises ImageNotFound, RegistryDenied, RegistryUnreachable.
        """
        headers = options.pop("headers", {})
        reconnect = options.pop("reconnect", True)
        try:
            for last in (False, True):
                request = self.http.build_request(
                    method, url, headers={**headers, **self._for(url)}, **options
                )
                async with send(
                    self.http, request, attempts=self.manner.attempts, reconnect=reconnect
                ) as response:
                    if (
                        response.status_code == httpx.codes.UNAUTHORIZED
                        and not last
                        and await self.log_in(response)
                    ):
                        continue
                    await self.check(response)
                    yield response
                    return
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error

    async def read(self, url: str, accept: str) -> tuple[bytes, httpx.Headers]:
        """Fetch a document. Raises like `call`."""
        async with self.call("GET", url, headers={"accept": accept}) as response:
            data = b""
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > _MOST:
                    raise RegistryUnreachable(
                        f"{url} is longer than any manifest: {self.host} may be no registry"
                    )
            return data, response.headers

    async def download(self, path: str, file: BinaryIO, size: int) -> None:
        """Append to `file` what it lacks of something in the repository. Raises like `call`; TooLong."""
        url, attempts = self.url(path), max(self.manner.attempts, ATTEMPTS)

        async def rest() -> None:
            await download(self.http, url, file, size=size, headers=self.headers, attempts=attempts)

        try:
            try:
                await rest()
            except httpx.HTTPStatusError as error:
                # A token is good for some minutes, and a large image may take more.
                denied = error.response.status_code == httpx.codes.UNAUTHORIZED
                if not (denied and await self.log_in(error.response)):
                    await self.check(error.response)
                await rest()
        except httpx.HTTPStatusError as error:
            await self.check(error.response)
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error

    def unreachable(self, error: httpx.HTTPError) -> RegistryUnreachable:
        """The error for a registry that does not answer."""
        host, why = self.host, str(error) or type(error).__name__
        return RegistryUnreachable(
            f"{self.reference.familiar}: {host} cannot be reached ({why}): check the network and "
            "the proxy settings, name a mirror in SHIPWAY_REGISTRY_MIRRORS, or give the image as an archive"
        )

    async def check(self, response: httpx.Response) -> None:
        """Raise what an answer other than success means."""
        if response.is_success or (
            response.status_code == httpx.codes.NOT_FOUND and response.request.method == "HEAD"
        ):
            return
        data = await response.aread()
        raise self._failure(response, data)

    def _failure(self, response: httpx.Response, data: bytes) -> ImageError:
        name, host = self.reference.familiar, self.host
        said = _errors(response)
        status = response.status_code
        if said is None:
            # Something on the way, or something else altogether: a proxy, a captive portal, a wrong port.
            return RegistryUnreachable(
                f"{name}: {host} answered {status} {data[:80]!r}, not as a registry does: "
                "check its address and the proxies"
            )
        if status == httpx.codes.NOT_FOUND:
            return ImageNotFound(f"{name} is not in the registry {host} ({said}): check its name and tag")
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return RegistryDenied(
                f"{name}: {host} refuses access ({said}): check that it exists, "
                "and log in with `docker login` if it is private"
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            wait = response.headers.get("retry-after")
            until = f"; it says to come back after {wait}{' s' if wait.isdigit() else ''}" if wait else ""
            return RegistryDenied(
                f"{name}: {host} lets no more requests through ({said}{until}): wait, log in, or use a mirror"
            )
        return RegistryUnreachable(f"{name}: {host} answered {status} ({said}): try again later")

    def _for(self, url: str) -> Mapping[str, str]:
        # A registry may send us to other hosts, which must not see the credentials.
        ours, theirs = httpx.URL(self.place.base), httpx.URL(url)
        return self.headers if (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc) else {}

    async def log_in(self, denied: httpx.Response) -> bool:
        """Get what a 401 asks for; whether there is something to try again with.

        Raises RegistryDenied, RegistryUnreachable.
        """
        place, logins = self.place, self.manner.credentials
        # A credential helper is another program, and may take its time.
        login = await anyio.to_thread.run_sync(logins.login, place.registry, place.repository)
        scope = f"repository:{place.repository}:{self.actions}"
        header = await authorize(self.http, denied, scope, login)
        if header is None:
            return False
        self.headers["authorization"] = header
        return True


def _errors(response: httpx.Response) -> str | None:
    """What a registry says went wrong; None when no registry would put it so."""
    try:
        errors = response.json()["errors"]
        return "; ".join(str(each.get("message") or each.get("code")) for each in errors) or str(
            response.status_code
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(response.reason_phrase) if "docker-distribution-api-version" in response.headers else None
