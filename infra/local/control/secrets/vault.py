"""Payloads of secret versions, encrypted where they are stored (AES-256-GCM); the key is in another file."""

import os
from pathlib import Path

from infra.local.files import put
from infra.local.state import Store

_KIND = "secret-payload"
_NONCE = 12  # bytes


class Vault:
    """The payloads in a store; the key in `file` is made with the first of them, mode 0600."""

    def __init__(self, store: Store, file: Path) -> None:
        self._store = store
        self._file = file

    def put(self, version: str, data: bytes) -> None:
        """Keep a version's payload. It is bound to the version's name: nothing else can be read by it."""
        nonce = os.urandom(_NONCE)
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        sealed = AESGCM(self._key()).encrypt(nonce, data, version.encode())
        self._store.write(_KIND, version, nonce + sealed)

    def get(self, version: str) -> bytes:
        """A version's payload. Raises LookupError when there is none that the key opens."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        row = self._store.read(_KIND, version)
        if row is None:
            raise LookupError(f"There is no payload of {version}.")
        try:
            return AESGCM(self._key()).decrypt(row.body[:_NONCE], row.body[_NONCE:], version.encode())
        except InvalidTag:
            raise LookupError(f"The key in {self._file.name} does not open {version}.") from None

    def remove(self, version: str) -> None:
        """Forget a version's payload."""
        self._store.remove(_KIND, version)

    def remove_under(self, secret: str) -> None:
        """Forget the payloads of all versions of a secret."""
        self._store.remove_under(_KIND, secret)

    def _key(self) -> bytes:
        try:
            return self._file.read_bytes()
        except FileNotFoundError:
            put(self._file, os.urandom(32), durable=True)
            return self._file.read_bytes()
