"""Google's REST APIs: requests with retries, errors in Google's words, long-running operations."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import anyio
import httpx

from infra.engine.providers.contract import ProviderError, UnknownOutcomeError
from infra.engine.providers.gcp.configuration import Configuration
from infra.engine.providers.gcp.credentials import Tokens

ATTEMPTS: Final = 7
"""Of one request: with waits that double, half a minute in all."""
_AGAIN: Final = frozenset({429, 502, 503, 504})
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_LONGEST_POLL: Final = 2.0
Json = dict[str, Any]


class GoogleError(ProviderError):
    """Google refused. ``code`` is the HTTP status, ``status`` Google's name of it (PERMISSION_DENIED)."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(f"Error {code}{f', {status}' if status else ''}: {message}")
        self.code = code
        self.status = status
        self.message = message
        self.operation = False
        """Whether it is what a long-running operation came to: the request itself was accepted."""


class LostError(UnknownOutcomeError):
    """The connection was lost, so that nobody knows whether the request was done."""


class UnreachableError(ProviderError):
    """An API could not be reached: the request was not even sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of one of ``PRODUCTS``: a method, a path below its endpoint, and a body."""

    product: str
    method: str
    path: str
    body: Json | None = None


class Client:
    """Calls APIs as a configuration says; safe to use from several tasks."""

    def __init__(
        self, configuration: Configuration, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._configuration = configuration
        self._tokens = Tokens(configuration)
        self._transport = transport

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        """Made by the first call: to read the machine's certificates takes as long as many an update."""
        return httpx.AsyncClient(
            timeout=httpx.Timeout(60, connect=10),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
            transport=self._transport,
            headers={"User-Agent": "shipway", "Accept": "application/json"},
        )

    async def call(self, request: Request) -> Json:
        """The answer to a request.

        Raises GoogleError, LostError, UnreachableError, or ProviderError for want of credentials.

        429 and 5xx that mean "later" are tried again, as is a connection that could not be made; after one
        that was lost only a GET is, since anything else may have been done.
        """
        endpoint = self._configuration.endpoints[request.product]
        url = f"{endpoint.url}{request.path}"
        headers = await self._tokens.header(custom=endpoint.custom)
        if self._configuration.billing_project is not None:
            headers["X-Goog-User-Project"] = self._configuration.billing_project
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = await self._http.request(request.method, url, json=request.body, headers=headers)
            except httpx.TransportError as error:
                if last or not (isinstance(error, _UNSENT) or request.method == "GET"):
                    unsent = isinstance(error, _UNSENT) and request.method != "GET"
                    kind = UnreachableError if unsent else LostError
                    raise kind(f"{request.method} {url}: {_reason(error)}") from error
                await _wait(attempt, None)
                continue
            if answer.status_code not in _AGAIN or last:
                return _read(answer)
            await _wait(attempt, answer.headers.get("Retry-After"))
        raise AssertionError("the last attempt returns or raises")

    async def finished(self, product: str, operation: Json, seconds: float) -> Json:
        """The response of a long-running operation, followed to its end.

        Raises GoogleError with what the operation failed with, TimeoutError after so many ``seconds``, and
        what ``call`` raises.
        """
        pause = 0.02
        with anyio.fail_after(seconds):
            while not operation.get("done"):
                await anyio.sleep(pause)
                pause = min(pause * 1.6, _LONGEST_POLL)
                operation = await self.call(Request(product, "GET", operation["name"]))
        if "error" in operation:
            failure = from_status(operation["error"])
            failure.operation = True
            raise failure
        response: Json = operation.get("response") or {}
        return response

    async def close(self) -> None:
        """Let go of the connections."""
        if "_http" in vars(self):
            await self._http.aclose()


def from_status(status: Mapping[str, Any]) -> GoogleError:
    """The error in a google.rpc.Status, whose codes are gRPC's."""
    code = int(status.get("code", 2))
    name, http = _CODES.get(code, ("UNKNOWN", 500))
    return GoogleError(http, name, "\n".join([str(status.get("message", "")), *_debugging(status)]))


_CODES: Final[Mapping[int, tuple[str, int]]] = {
    1: ("CANCELLED", 499),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    16: ("UNAUTHENTICATED", 401),
}


def _read(answer: httpx.Response) -> Json:
    try:
        document = answer.json() if answer.content else {}
    except ValueError:
        document = {}
    if answer.is_success:
        return document if isinstance(document, dict) else {}
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        message = "; ".join([str(error.get("message", "")), *_violations(error)])
        raise GoogleError(answer.status_code, str(error.get("status", "")), message)
    raise GoogleError(answer.status_code, "", answer.text[:200] or answer.reason_phrase)


def _violations(error: Mapping[str, Any]) -> list[str]:
    """What is wrong with which field, where Google says so beside its message."""
    return [
        f"{violation.get('field')}: {violation.get('description')}"
        for detail in error.get("details") or ()
        for violation in detail.get("fieldViolations") or ()
        if str(violation.get("description")) not in str(error.get("message"))
    ]


def _debugging(status: Mapping[str, Any]) -> list[str]:
    """The end of the log of the container that failed, where an operation tells it (google.rpc.DebugInfo)."""
    return [
        f"The end of its log:\n{text}"
        for detail in status.get("details") or ()
        if str(detail.get("@type", "")).endswith("google.rpc.DebugInfo")
        and (text := str(detail.get("detail") or "").strip())
    ]


def _reason(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


async def _wait(attempt: int, said: str | None) -> None:
    """Wait as long as the server said, else twice as long as the last time, less or more by chance."""
    seconds = float(said) if said is not None and said.isdecimal() else 0.25 * 2**attempt
    spread = random.uniform(0.75, 1.25)  # noqa: S311  # chance is no secret here
    await anyio.sleep(min(seconds, 30.0) * spread)  # no secret
