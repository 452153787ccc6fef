"""Property values at rest.

Plain JSON with signed objects for all that JSON lacks (pkg/resource/stack/deployment.go).
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any, Protocol

from infra.engine.state import gojson
from infra.engine.state.errors import CorruptError
from infra.engine.values import (
    UNKNOWN,
    Archive,
    Asset,
    Output,
    Properties,
    ResourceReference,
    Secret,
    Unknown,
    Value,
    signatures,
)

COMPUTED = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"


class Cipher(Protocol):
    """What encrypts the secrets; ``place`` tells where in the state the secret stands."""

    def encrypt(self, plaintext: str, place: str) -> str:
        """The text to store."""

    def decrypt(self, ciphertext: str, place: str) -> str:
        """The secret again."""


def encode(value: Value, cipher: Cipher | None, place: str = "") -> Any:
    """``value`` as JSON.

    Without a ``cipher`` secrets are written in plaintext, as ``--show-secrets`` asks.
    """
    result: Any = value
    match value:
        case dict():
            result = {key: encode(value[key], cipher, f"{place}.{key}") for key in sorted(value)}
        case list():
            result = [encode(item, cipher, f"{place}[{index}]") for index, item in enumerate(value)]
        case Secret():
            text = gojson.dumps(encode(value.element, None), escape_html=True)
            stored = {"plaintext": text} if cipher is None else {"ciphertext": cipher.encrypt(text, place)}
            result = {signatures.KEY: signatures.SECRET, **stored}
        case Unknown():
            result = COMPUTED
        case Output():
            inner: Value = value.element if value.known else UNKNOWN
            result = encode(Secret(inner) if value.secret else inner, cipher, place)
        case Asset() | Archive():
            result = _encode_asset(value)
        case ResourceReference():
            reference = {
                signatures.KEY: signatures.RESOURCE,
                "packageVersion": value.package_version,
                "urn": value.urn,
            }
            if value.id is not None:
                reference["id"] = "" if isinstance(value.id, Unknown) else str(value.id)
            result = dict(sorted(reference.items()))
        case float() if not math.isfinite(value):
            result = {signatures.KEY: _FLOAT, "value": struct.pack(">d", value).hex()}
    return result


def _encode_asset(value: Asset | Archive) -> dict[str, Any]:
    kind = signatures.ASSET if isinstance(value, Asset) else signatures.ARCHIVE
    result: dict[str, Any] = {signatures.KEY: kind}
    if isinstance(value, Archive) and value.assets is not None:
        result["assets"] = {name: _encode_asset(value.assets[name]) for name in sorted(value.assets)}
    given = {"hash": value.hash, "path": value.path, "uri": value.uri}
    if isinstance(value, Asset):
        given["text"] = value.text
    result |= {name: text for name, text in given.items() if text}
    return dict(sorted(result.items()))


def decode(value: Any, cipher: Cipher | None, place: str = "") -> Value:
    """The property value that ``value`` was written from. Raises CorruptError for one that nobody writes."""
    if isinstance(value, str):
        return UNKNOWN if value == COMPUTED else value
    if isinstance(value, list):
        return [decode(item, cipher, f"{place}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        signature = value.get(signatures.KEY)
        if signature is None:
            return {key: decode(item, cipher, f"{place}.{key}") for key, item in value.items()}
        return _decode_signed(str(signature), value, cipher, place)
    return value  # type: ignore[no-any-return]  # null, a boolean or a number


def _decode_signed(signature: str, value: dict[str, Any], cipher: Cipher | None, place: str) -> Value:
    match signature:
        case signatures.SECRET:
            return _decode_secret(value, cipher, place)
        case signatures.ASSET:
            return Asset(value.get("hash", ""), value.get("text"), value.get("path"), value.get("uri"))
        case signatures.ARCHIVE:
            return _decode_archive(value)
        case signatures.RESOURCE:
            return ResourceReference(value["urn"], value.get("id"), value.get("packageVersion", ""))
        case signatures.BYTES:
            return base64.b64decode(value["value"]).decode("utf-8", "surrogateescape")
        case s if s == _FLOAT:
            number: float = struct.unpack(">d", bytes.fromhex(value["value"]))[0]
            return number
    raise CorruptError(f"unrecognized signature '{signature}' in property map at {place or 'the root'}")


def _decode_secret(value: dict[str, Any], cipher: Cipher | None, place: str) -> Secret:
    plaintext, ciphertext = value.get("plaintext"), value.get("ciphertext")
    if bool(plaintext) == bool(ciphertext):
        raise CorruptError(
            "malformed secret value: exactly one of `ciphertext` or `plaintext` must be supplied"
        )
    if ciphertext:
        if cipher is None:
            raise CorruptError("deployment uses a SecretsProvider but no SecretsProvider was provided")
        plaintext = cipher.decrypt(ciphertext, place)
    return Secret(decode(json.loads(str(plaintext)), None))


def _decode_archive(value: dict[str, Any]) -> Archive:
    assets: dict[str, Asset | Archive] | None = None
    if value.get("assets") is not None:
        decoded = {name: decode(item, None) for name, item in value["assets"].items()}
        assets = {name: item for name, item in decoded.items() if isinstance(item, Asset | Archive)}
    return Archive(value.get("hash", ""), assets, value.get("path"), value.get("uri"))


def decode_all(value: dict[str, Any] | None, cipher: Cipher | None, place: str) -> Properties:
    """A whole bag of properties."""
    return {key: decode(item, cipher, f"{place}.{key}") for key, item in (value or {}).items()}
