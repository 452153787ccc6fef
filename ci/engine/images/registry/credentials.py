"""Who this user is at a registry: logins given explicitly, and those that `docker login` kept."""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.engine.images.reference import DEFAULT_REGISTRY

# What docker login files Docker Hub under, since 2013.
_HUB_KEY = "https://index.docker.io/v1/"
_IDENTITY = "<token>"


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and its password, or an identity token that is exchanged for others."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)


class Credentials:
    """Logins by registry host. `logins` come first; then Docker's configuration, helpers included."""

    def __init__(self, logins: Mapping[str, Login] | None = None, config: Path | None = None) -> None:
        self._logins = dict(logins or {})
        self._config = config or _default_config()

    def login(self, registry: str) -> Login | None:
        """The login for a registry ("docker.io", "localhost:5000"), None for anonymous use."""
        if registry in self._logins:
            return self._logins[registry]
        document = self._document()
        helper = (document.get("credHelpers") or {}).get(registry) or document.get("credsStore")
        keys = [_HUB_KEY] if registry == DEFAULT_REGISTRY else [registry, f"https://{registry}"]
        if helper and (found := _ask(str(helper), keys[0])):
            return found
        auths = document.get("auths") or {}
        for key in keys:
            if isinstance(entry := auths.get(key) or auths.get(f"{key}/"), dict) and (
                found := _stored(entry)
            ):
                return found
        return None

    def _document(self) -> dict[str, Any]:
        try:
            document = json.loads(self._config.read_bytes())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def _default_config() -> Path:
    folder = os.environ.get("DOCKER_CONFIG")
    return (Path(folder) if folder else Path.home() / ".docker") / "config.json"


def _stored(entry: Mapping[str, Any]) -> Login | None:
    if token := entry.get("identitytoken"):
        return Login(identity_token=str(token))
    user, password = str(entry.get("username", "")), str(entry.get("password", ""))
    if auth := entry.get("auth"):
        try:
            user, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    return Login(user, password.rstrip("\0")) if user else None


def _ask(helper: str, server: str) -> Login | None:
    """Ask a credential helper (https://github.com/docker/docker-credential-helpers)."""
    command = [f"docker-credential-{helper}", "get"]
    try:
        done = subprocess.run(command, input=server, capture_output=True, text=True, timeout=30, check=True)
        answer = json.loads(done.stdout)
        user, secret = str(answer["Username"]), str(answer["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None
    return Login(identity_token=secret) if user == _IDENTITY else Login(user, secret)
