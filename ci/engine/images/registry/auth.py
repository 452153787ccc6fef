"""Proving it to a registry: Basic, or a Bearer token from the service it names.

Protocol: https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/.
"""

import base64
import re
from collections.abc import Mapping

import httpx

from ci.engine.images.errors import RegistryDenied, RegistryUnreachable
from ci.engine.images.registry.credentials import Login
from ci.engine.images.transport import send

_CHALLENGE = re.compile(r"(?:^|,\s*)(bearer|basic)\s+", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def challenges(header: str) -> dict[str, dict[str, str]]:
    """The parameters of a WWW-Authenticate header, by scheme in lower case."""
    marks = list(_CHALLENGE.finditer(header))
    ends = [*(mark.start() for mark in marks[1:]), len(header)][: len(marks)]
    found = {}
    for mark, end in zip(marks, ends, strict=True):
        parameters = _PARAMETER.findall(header[mark.end() : end])
        found[mark[1].lower()] = {name.lower(): quoted or plain for name, quoted, plain in parameters}
    return found


def basic(login: Login) -> str:
    """The Authorization header with user name and password (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


async def authorize(
    session: httpx.AsyncClient, denied: httpx.Response, scope: str, login: Login | None
) -> str | None:
    """The Authorization header that answers a 401 response, None when there is none to give.

    Raises RegistryDenied when the login is refused, RegistryUnreachable when the token service is not there.
    """
    asked = challenges(denied.headers.get("www-authenticate", ""))
    if "bearer" in asked:
        where = denied.request.url
        return f"Bearer {await _token(session, asked['bearer'], scope, login, where)}"
    if "basic" in asked and login is not None and login.user:
        return basic(login)
    return None


async def _token(
    session: httpx.AsyncClient,
    challenge: Mapping[str, str],
    scope: str,
    login: Login | None,
    asker: httpx.URL,
) -> str:
    realm = challenge.get("realm", "")
    if not realm.startswith(("http://", "https://")):
        raise RegistryDenied(
            f"the registry asks for a token from {realm!r}, which is no address: ask its owner"
        )
    if login is not None and asker.scheme == "https" and httpx.URL(realm).scheme != "https":
        raise RegistryDenied(
            f"{asker.host} wants the login sent to {realm}, for anyone on the way to read: ask its owner"
        )
    parameters = {"service": challenge.get("service", ""), "scope": challenge.get("scope") or scope}
    if login is not None and login.identity_token:
        form = {
            **parameters,
            "grant_type": "refresh_token",
            "refresh_token": login.identity_token,
            "client_id": "shipway",
        }
        request = session.build_request("POST", realm, data=form)
    else:
        scopes = {**parameters, "scope": parameters["scope"].split()}
        request = session.build_request("GET", httpx.URL(realm), params={**httpx.URL(realm).params, **scopes})
        if login is not None and login.user:
            request.headers["authorization"] = basic(login)
    try:
        async with send(session, request) as response:
            if response.status_code in {400, 401, 403}:
                raise RegistryDenied(
                    f"{realm} refuses the login for {scope}: log in again, or ask its owner for access"
                )
            response.raise_for_status()
            answer = (await response.aread()) and response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise RegistryUnreachable(
            f"no token from {realm} ({error}): try again, or check the network and proxies"
        ) from error
    token = answer.get("token") or answer.get("access_token") if isinstance(answer, dict) else None
    if not token:
        raise RegistryUnreachable(f"{realm} answered without a token: it is no token service of a registry")
    return str(token)
