"""A conversation with one registry about one repository: logs in, and gives errors their names."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from ci.engine.images.errors import ImageError, ImageNotFound, RegistryDenied, RegistryUnreachable
from ci.engine.images.reference import Reference
from ci.engine.images.registry.auth import authorize
from ci.engine.images.registry.credentials import Credentials
from ci.engine.images.transport import ATTEMPTS, send

_MOST = 4 << 20  # bytes; the specification lets registries refuse larger manifests


@dataclass(slots=True)
class Session:
    """Talks to the API at `base` about `reference`; `actions` ("pull", "pull,push") are what it may do."""

    http: httpx.AsyncClient
    base: str
    reference: Reference
    credentials: Credentials
    actions: str = "pull"
    attempts: int = ATTEMPTS
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The registry's host and port."""
        return httpx.URL(self.base).netloc.decode()

    def url(self, path: str) -> str:
        """The address of something in the repository."""
        return f"{self.base}/v2/{self.reference.repository}/{path}"

    @asynccontextmanager
    async def call(self, method: str, url: str, **options: Any) -> AsyncIterator[httpx.Response]:
        """Send a request, logging in when asked to; the answer is a success.

        Raises ImageNotFound, RegistryDenied, RegistryUnreachable.
        """
        headers = options.pop("headers", {})
        try:
            for last in (False, True):
                request = self.http.build_request(
                    method, url, headers={**headers, **self._for(url)}, **options
                )
                async with send(self.http, request, attempts=self.attempts) as response:
                    if (
                        response.status_code == httpx.codes.UNAUTHORIZED
                        and not last
                        and await self._log_in(response)
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
                        f"{url} is longer than any manifest: {self.base} may be no registry"
                    )
            return data, response.headers

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
            return RegistryDenied(
                f"{name}: {host} lets no more requests through ({said}): wait, log in, or use a mirror"
            )
        return RegistryUnreachable(f"{name}: {host} answered {status} ({said}): try again later")

    def _for(self, url: str) -> Mapping[str, str]:
        # A registry may send us to other hosts, which must not see the credentials.
        return self.headers if httpx.URL(url).netloc == httpx.URL(self.base).netloc else {}

    async def _log_in(self, denied: httpx.Response) -> bool:
        scope = f"repository:{self.reference.repository}:{self.actions}"
        header = await authorize(self.http, denied, scope, self.credentials.login(self.reference.registry))
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
