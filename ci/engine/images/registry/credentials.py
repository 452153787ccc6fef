"""Who this user is at a registry: logins given explicitly, and those that `docker login` or Podman kept."""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
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
    """Logins by registry host: `logins`, then Docker's configuration and its helpers, then Podman's.

    With `config`, that file is the only one that is read.
    """

    def __init__(self, logins: Mapping[str, Login] | None = None, config: Path | None = None) -> None:
        self._logins = dict(logins or {})
        self._configs = (config,) if config else tuple(_default_configs(os.environ))

    def login(self, registry: str, repository: str = "") -> Login | None:
        """The login for a registry ("docker.io", "localhost:5000"), None for anonymous use. It may block.

        One that is kept for a part of the registry ("quay.io/team") is for the repositories below it.
        """
        if registry in self._logins:
            return self._logins[registry]
        for config in self._configs:
            if (found := _kept(_document(config), registry, repository)) is not None:
                return found
        return None


def _default_configs(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME") or "/nowhere")
    yield Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if named := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(named)
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers/auth.json"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"


def _document(config: Path) -> dict[str, Any]:
    try:
        document = json.loads(config.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _kept(document: Mapping[str, Any], registry: str, repository: str) -> Login | None:
    helper = (document.get("credHelpers") or {}).get(registry) or document.get("credsStore")
    hosts = [_HUB_KEY] if registry == DEFAULT_REGISTRY else [registry, f"https://{registry}"]
    if helper and (found := _ask(str(helper), hosts[0])):
        return found
    parts = repository.split("/") if repository else []
    below = [f"{registry}/{'/'.join(parts[:end])}" for end in range(len(parts), 0, -1)]
    auths = document.get("auths") or {}
    for key in (*below, *hosts, registry):
        if isinstance(entry := auths.get(key) or auths.get(f"{key}/"), dict) and (found := _stored(entry)):
            return found
    return None


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
