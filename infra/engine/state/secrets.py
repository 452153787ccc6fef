"""The passphrase secrets provider: how secrets in a checkpoint and in a stack's configuration are encrypted.

AES-256-GCM under a key derived by PBKDF2-HMAC-SHA256, 1,000,000 rounds over an 8-byte salt. A ciphertext is
``v1:<base64 of the 12-byte nonce>:<base64 of ciphertext and tag>``; the provider's state is
``v1:<base64 of the salt>:<ciphertext of "pulumi">``, by which a wrong passphrase is told at once
(pkg/secrets/passphrase/manager.go, sdk/go/common/resource/config/crypt.go).
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from infra.engine.state.errors import PassphraseError

ROUNDS = 1_000_000
_WITNESS = "pulumi"


class Crypter:
    """Encrypts and decrypts text under one key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)

    def encrypt(self, plaintext: str) -> str:
        """The ciphertext of ``plaintext``: another one at each call."""
        nonce = os.urandom(12)
        sealed = self._cipher.encrypt(nonce, plaintext.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> str:
        """The plaintext. Raises PassphraseError if it was not encrypted under this key."""
        from cryptography.exceptions import InvalidTag

        version, _, rest = ciphertext.partition(":")
        nonce, found, sealed = rest.partition(":")
        if version != "v1" or not found:
            raise PassphraseError("bad value: a secret's ciphertext starts with v1:")
        try:
            opened = self._cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
        except (InvalidTag, ValueError) as error:
            raise PassphraseError(
                "failed to decrypt: incorrect passphrase, please set PULUMI_CONFIG_PASSPHRASE to"
                " the correct passphrase"
            ) from error
        return opened.decode()


@lru_cache(maxsize=4)
def derive(passphrase: str, salt: bytes) -> bytes:
    """The 32-byte key; takes about a third of a second, by design, and lets other threads run meanwhile."""
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, 32)


def fresh(passphrase: str) -> tuple[str, Crypter]:
    """A new provider: its state (to be kept as ``encryptionsalt``), and its crypter."""
    salt = os.urandom(8)
    crypter = Crypter(derive(passphrase, salt))
    return f"v1:{base64.b64encode(salt).decode()}:{crypter.encrypt(_WITNESS)}", crypter


def unlock(passphrase: str, state: str) -> Crypter:
    """The crypter of a provider that exists. Raises PassphraseError ("incorrect passphrase")."""
    version, _, rest = state.partition(":")
    salt, found, witness = rest.partition(":")
    if not found:
        raise PassphraseError("malformed state value")
    if version != "v1":
        raise PassphraseError("unknown state version")
    crypter = Crypter(derive(passphrase, base64.b64decode(salt)))
    try:
        known = crypter.decrypt(witness) == _WITNESS
    except PassphraseError:
        known = False
    if not known:
        raise PassphraseError("incorrect passphrase")
    return crypter


def passphrase_from(variables: Mapping[str, str]) -> str | None:
    """The passphrase that PULUMI_CONFIG_PASSPHRASE(_FILE) gives, None if neither variable does.

    Raises:
        PassphraseError: the file can't be read.
    """
    if "PULUMI_CONFIG_PASSPHRASE" in variables:
        return variables["PULUMI_CONFIG_PASSPHRASE"]
    if file := variables.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise PassphraseError(f"unable to read PULUMI_CONFIG_PASSPHRASE_FILE: {error}") from error
    return None


class Vault:
    """A stack's secrets provider: unlocked when a secret is first met, and not before.

    Ciphertexts that were read are written again as they were, as long as the secret at that place is the
    same: a state that did not change is not rewritten.
    """

    def __init__(self, state: str, ask: Callable[[], str]) -> None:
        self.state = state
        self._ask = ask
        self._crypter: Crypter | None = None
        self._known: dict[tuple[str, str], str] = {}

    @classmethod
    def opened(cls, state: str, crypter: Crypter) -> Vault:
        """A vault whose crypter is at hand."""
        vault = cls(state, str)
        vault._crypter = crypter
        return vault

    @property
    def crypter(self) -> Crypter:
        """The crypter; asks for the passphrase the first time."""
        if self._crypter is None:
            self._crypter = unlock(self._ask(), self.state)
        return self._crypter

    def decrypt(self, ciphertext: str, place: str) -> str:
        """The secret that stands at ``place`` (any text that tells places apart)."""
        plaintext = self.crypter.decrypt(ciphertext)
        self._known[place, plaintext] = ciphertext
        return plaintext

    def encrypt(self, plaintext: str, place: str) -> str:
        """The ciphertext to stand at ``place``."""
        known = self._known.get((place, plaintext))
        if known is None:
            known = self._known[place, plaintext] = self.crypter.encrypt(plaintext)
        return known
