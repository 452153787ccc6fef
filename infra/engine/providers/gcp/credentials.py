"""Tokens to call Google with: one that is given, a key or a federated identity, or what the machine has."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from infra.engine.providers.contract import ProviderError
from infra.engine.providers.gcp.configuration import Configuration

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_REMEDY: Final = (
    "Set GOOGLE_OAUTH_ACCESS_TOKEN, or GOOGLE_CREDENTIALS, or run `gcloud auth application-default login`; "
    "or start the cloud on this machine: python -m infra.local up"
)


class Tokens:
    """Access tokens, renewed when they run out."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._credentials: Any = None
        self._lock = anyio.Lock()

    async def header(self, *, custom: bool) -> dict[str, str]:
        """The headers that say who calls; none for a custom endpoint that nobody configured credentials for.

        Raises ProviderError when Google is to be called, and there is nothing to call it as.
        """
        given = self._configuration
        if given.token is not None:
            return {"Authorization": f"Bearer {given.token}"}
        if custom and given.credentials is None:
            return {}
        async with self._lock:
            token = await anyio.to_thread.run_sync(partial(self._fresh, given.credentials))
        return {"Authorization": f"Bearer {token}"}

    def _fresh(self, given: str | None) -> str:
        from google.auth import default, load_credentials_from_dict
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.requests import Request

        try:
            if self._credentials is None:
                if given is None:
                    self._credentials, _ = default(scopes=[SCOPE])
                else:
                    self._credentials, _ = load_credentials_from_dict(  # type: ignore[no-untyped-call]  # of google-auth
                        _document(given), scopes=[SCOPE]
                    )
            if not self._credentials.valid:
                self._credentials.refresh(Request())
        except (GoogleAuthError, OSError, ValueError) as error:
            raise ProviderError(f"There are no usable Google credentials: {error}. {_REMEDY}") from error
        token: str = self._credentials.token
        return token


def _document(given: str) -> dict[str, Any]:
    """Credentials as JSON, or the path of a file of them."""
    text = given if given.lstrip().startswith("{") else Path(given).expanduser().read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
