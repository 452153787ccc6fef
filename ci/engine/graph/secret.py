"""Secrets: named in operations and cache keys, kept in the session's memory, never written down."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import anyio

from ci.engine.errors import EngineError, reason
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.steps.scrub import scrub

# Providers of Dagger's that need a service of their own, which this engine does not speak to.
ELSEWHERE = frozenset({"op", "vault", "libsecret", "gcp", "aws+sm", "aws+ps"})


class SecretError(EngineError):
    """A secret that cannot be had."""


@dataclass(frozen=True)
class Secret(Digested):
    """A secret by its name. ``uri`` says where it comes from; empty for one the client has set.

    ``name`` is what enters a cache key: the name it was set by, its cache key, or its URI.
    """

    name: str
    uri: str = ""

    @property
    def provider(self) -> tuple[str, str]:
        """The scheme and the rest of the URI."""
        scheme, _, rest = self.uri.partition("://")
        return scheme, rest


class Secrets:
    """The secrets of one session; its client works in ``folder``."""

    def __init__(self, folder: Path = Path()) -> None:
        self._set: dict[str, bytes] = {}
        self._revealed: set[bytes] = set()
        self._folder = folder

    def set(self, name: str, plaintext: bytes) -> Secret:
        """Keep a secret in memory; a later one of the same name takes its place."""
        self._set[name] = plaintext
        return Secret(name)

    def scrub(self, text: str) -> str:
        """``text`` without the secrets that the client has set."""
        return scrub(text, self._set.values()) if self._set else text

    def told(self) -> tuple[bytes, ...]:
        """The values that the client has set, or that have been asked for: what no output may show."""
        return tuple({*self._set.values(), *self._revealed} - {b""})

    def refer(self, uri: str, cache_key: str | None = None) -> Secret:
        """Refer to a secret that a provider has: ``env://NAME``, ``file://PATH`` or ``cmd://COMMAND``.

        Raises:
            SecretError: the URI is malformed, or its provider unknown or not served.
        """
        secret = Secret(cache_key or uri, uri)
        scheme, _ = secret.provider
        if "://" not in uri:
            raise SecretError(f'parse "{uri}": malformed id')
        if scheme in ELSEWHERE:
            raise SecretError(
                f'secret provider "{scheme}" is not served by the embedded engine; use env, file or cmd'
            )
        if scheme not in {"env", "file", "cmd"}:
            raise SecretError(f'unsupported secret provider: "{scheme}"')
        return secret

    async def plaintext(self, secret: Secret) -> bytes:
        """Return a secret's value.

        Raises:
            SecretError: there is none; the message does not tell more than its name.
        """
        value = await self._value(secret)
        self._revealed.add(value)
        return value

    async def _value(self, secret: Secret) -> bytes:
        scheme, place = secret.provider
        match scheme:
            case "env":
                return _from_environment(place)
            case "file":
                return await _from_file(self._folder, place)
            case "cmd":
                return await _from_command(self._folder, place)
        try:
            return self._set[secret.name]
        except KeyError:
            raise SecretError(f'secret "{secret.name}" is not set in this session') from None


def _from_environment(name: str) -> bytes:
    value = os.environb.get(os.fsencode(name))
    if value is None:
        # Cut short: whoever mistakes the name for the value should not find the value in a log.
        shown = f"{name[:3]}..." if len(name) >= 4 else name
        raise SecretError(f'secret env var not found: "{shown}"')
    return value


async def _from_file(folder: Path, path: str) -> bytes:
    try:
        return await anyio.to_thread.run_sync(_read, folder, path)
    except RuntimeError as error:
        raise SecretError(f'failed to read secret file "{path}": {error}') from error
    except OSError as error:
        raise SecretError(f'failed to read secret file "{path}": open {path}: {reason(error)}') from error


def _read(folder: Path, path: str) -> bytes:
    return (folder / Path(path).expanduser()).read_bytes()


async def _from_command(folder: Path, command: str) -> bytes:
    shell = ["sh", "-c", command]
    result = await anyio.run_process(shell, check=False, stderr=subprocess.DEVNULL, cwd=folder)
    if result.returncode:
        raise SecretError(f'failed to run secret command "{command}": exit status {result.returncode}')
    return result.stdout
