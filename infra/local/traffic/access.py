"""Who may reach a service: its ingress setting, and who has roles/run.invoker.

https://cloud.google.com/run/docs/authenticating/service-to-service
"""

import base64
import binascii
import json
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.local.runtime.contract import Allowed

_ISSUERS = frozenset(("https://accounts.google.com", "accounts.google.com"))
_SKEW = 10.0  # seconds that two clocks may be apart
_MOST = 16 << 10  # characters of a token


class Unverified(Exception):
    """A bearer token that was not issued here, is over, or is meant for somebody else: answered with 401."""


@dataclass(frozen=True, slots=True)
class Access:
    """Whether only requests from within the cloud are served, and who else decides; None lets all in."""

    internal: bool = False
    allowed: Allowed | None = None


class Invokers:
    """Lets in who has roles/run.invoker, by identity tokens; for Front.route's `allowed`.

    `keys` gives the JSON Web Key Set (RFC 7517) that tokens are signed with, `members` who has the role at a
    host ("allUsers", "allAuthenticatedUsers", "serviceAccount:EMAIL"), and `audiences` what else than a URL
    of the host a token may be meant for: names, and further hosts.
    """

    def __init__(
        self,
        keys: Callable[[], dict[str, Any]],
        members: Callable[[str], Collection[str]],
        audiences: Callable[[str], Collection[str]] = lambda _host: (),
    ) -> None:
        self._keys = keys
        self._members = members
        self._audiences = audiences

    def __call__(self, host: str, authorization: str) -> bool:
        """Whether a caller with this Authorization may invoke the service at `host`. Raises Unverified."""
        members = self._members(host)
        if "allUsers" in members:
            return True
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            return False
        claims = verified(token.strip(), self._keys())
        audience = str(claims.get("aud", ""))
        if not {audience, urlsplit(audience).hostname} & {host, *self._audiences(host)}:
            raise Unverified("a token that is meant for another audience")
        email = claims.get("email") if claims.get("email_verified") else None
        return "allAuthenticatedUsers" in members or f"serviceAccount:{email}" in members


def verified(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims of an identity token (RFC 7519, signed with RS256) of the key set's. Raises Unverified."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256

    head, claims, signature = _parts(token)
    key = _key(head, keys)
    try:
        key.verify(signature, token.rpartition(".")[0].encode(), padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Unverified("a signature of somebody else's") from None
    now = time.time()
    until, since = claims.get("exp"), claims.get("iat")
    if not isinstance(until, int | float) or not isinstance(since, int | float):
        raise Unverified("a token without times")
    if claims.get("iss") not in _ISSUERS or not since - _SKEW <= now < until + _SKEW:
        raise Unverified("a token of another issuer or of another time")
    return claims


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The token's header, claims and signature."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _MOST:
        raise Unverified("no JSON Web Token")
    try:
        head, claims = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
    except ValueError:
        raise Unverified("no JSON Web Token") from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise Unverified("no JSON Web Token")
    return head, claims, signature


def _key(head: dict[str, Any], keys: dict[str, Any]) -> Any:
    """The public key that a token says it is signed with."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    if head.get("alg") != "RS256":
        raise Unverified("a token that is not signed with RS256")
    for each in keys["keys"]:
        if each["kid"] == head.get("kid"):
            exponent, modulus = (int.from_bytes(_decoded(each[name]), "big") for name in ("e", "n"))
            return RSAPublicNumbers(exponent, modulus).public_key()
    raise Unverified("a token signed with an unknown key")


def _decoded(text: str) -> bytes:
    """Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
