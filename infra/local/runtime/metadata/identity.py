"""Tokens of service accounts, signed by a key of this machine's own."""

import base64
import hashlib
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from infra.local.files import put

ISSUER = "https://accounts.google.com"
LIFETIME = 3600  # seconds
_BITS = 2048


class Identity:
    """Signs with the private key in `file`, which is made when it is not there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loading = threading.Lock()
        self._key: Any = None
        self._id = ""
        self._tokens: dict[str, tuple[str, float]] = {}

    def prepare(self) -> None:
        """Have the key and the libraries at hand before they are needed. Blocking."""
        from google.auth import crypt, jwt

        del crypt, jwt
        self._load()

    def id_token(self, email: str, audience: str) -> str:
        """A JWT (RS256) that says its bearer is `email`, for one audience. RFC 7519."""
        from google.auth import crypt, jwt

        sign: Any = jwt.encode
        signer: Any = crypt.RSASigner
        key = self._load()
        now = int(time.time())
        subject = _subject(email)
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": subject,
            "sub": subject,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + LIFETIME,
        }
        return str(sign(signer(key, self._id), claims).decode("ascii"))

    def access_token(self, email: str) -> tuple[str, int]:
        """An opaque token that account_of() knows, and for how many seconds it does."""
        now = time.time()
        self._tokens = {token: owner for token, owner in self._tokens.items() if owner[1] > now}
        token = f"ya29.local-{secrets.token_urlsafe(48)}"
        self._tokens[token] = (email, now + LIFETIME)
        return token, LIFETIME - 1

    def account_of(self, token: str) -> str | None:
        """The service account that an access token was given to, while it is valid."""
        email, until = self._tokens.get(token, ("", 0.0))
        return email if until > time.time() else None

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set. RFC 7517."""
        numbers = self._load().public_key().public_numbers()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self._id,
            "n": _number(numbers.n),
            "e": _number(numbers.e),
        }
        return {"keys": [key]}

    def _load(self) -> Any:
        with self._loading:
            if self._key is None:
                key = _read(self._file) if self._file.exists() else _make(self._file)
                self._id = _key_id(key)
                self._key = key
        return self._key


# Not imported at the start: it takes a tenth of a second, and tests of other things never ask.
def _read(file: Path) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(file.read_bytes(), None)


def _make(file: Path) -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, _BITS)
    put(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _key_id(key: Any) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()[:40]


def _subject(email: str) -> str:
    """A number of 21 digits, like those of Google's accounts; the same for the same account."""
    return str(10**20 + int.from_bytes(hashlib.sha256(email.encode()).digest()[:8], "big"))


def _number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
