"""Secrets that a module's code has of its own: variables and files of its container, not of any host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci.engine.api.types.container import files as container_files
from ci.engine.api.types.file import read
from ci.engine.errors import EngineError
from ci.engine.graph.secret import Secret, SecretError
from ci.engine.modules.guests import refusal

if TYPE_CHECKING:
    from ci.engine.api.registry import Call
    from ci.engine.graph.container import Container


async def refer(call: Call, uri: str, cache_key: str | None) -> Secret:
    """The secret that a URI names in the container of the module whose code asks.

    Raises:
        SecretError: it is not there.
        EngineError: the URI is of a provider that is on the host alone.
    """
    module = call.client.module
    assert module is not None  # noqa: S101  # that is who it is for
    assert module.runtime is not None  # noqa: S101  # its code runs in it
    scheme, _, place = uri.partition("://")
    if scheme == "env":
        value = module.runtime.container.env.get(place)
        if value is None:
            raise SecretError(f'secret env var not found: "{place[:3]}..."')
        plaintext = value.encode()
    elif scheme == "file":
        plaintext = await _content(call, module.runtime.container, place)
    else:
        raise refusal(f'a secret of provider "{scheme}"')
    return call.session.secrets.set(cache_key or f"{module.key} {uri}", plaintext)


async def _content(call: Call, container: Container, path: str) -> bytes:
    if path == "/dev/null":
        return b""
    try:
        return await read(call, await container_files.file(call, container, path=path))
    except EngineError as error:
        raise SecretError(f'failed to read secret file "{path}": {error}') from error
