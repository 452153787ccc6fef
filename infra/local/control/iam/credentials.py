"""iamcredentials.v1: short-lived tokens of service accounts."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from infra.local.api.discovery import Request
from infra.local.api.errors import invalid, precondition
from infra.local.control.documents import Json, timestamp

_LONGEST = 3600.0  # seconds
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")


class Issuer(Protocol):
    """Issues tokens; the runtime's `Identity` does."""

    def access_token(self, email: str) -> tuple[str, int]:
        """An access token of a service account, and for how many seconds it is good."""

    def id_token(self, email: str, audience: str) -> str:
        """An identity token of a service account for an audience."""


class Credentials:
    """Tokens by an issuer; `find` finds an account by its full name, and raises ApiError, 404."""

    def __init__(self, issuer: Issuer, find: Callable[[str], Json]) -> None:
        self._issuer = issuer
        self._find = find

    async def generate_access_token(self, request: Request) -> Json:
        """An access token for the scopes that are asked for."""
        email = self._usable(request)
        if not request.body.get("scope"):
            text = "Request has no scope."
            raise invalid(text, [("scope", text)])
        given = _DURATION.fullmatch(request.body.get("lifetime", f"{_LONGEST}s"))
        if given is None or not 0 < float(given[1]) <= _LONGEST:
            text = f"The lifetime must be positive and at most {_LONGEST:g} seconds."
            raise invalid(text, [("lifetime", text)])
        token, seconds = self._issuer.access_token(email)
        lifetime = timedelta(seconds=min(float(given[1]), seconds))
        return {"accessToken": token, "expireTime": timestamp(lifetime)}

    async def generate_id_token(self, request: Request) -> Json:
        """An identity token for an audience."""
        email = self._usable(request)
        if not request.body.get("audience"):
            text = "Audience must not be empty."
            raise invalid(text, [("audience", text)])
        return {"token": self._issuer.id_token(email, request.body["audience"])}

    def _usable(self, request: Request) -> str:
        account = self._find(request.parameters["name"])
        if account.get("disabled"):
            raise precondition(f"Service account {account['email']} is disabled.")
        return str(account["email"])
