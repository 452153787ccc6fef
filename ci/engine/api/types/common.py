"""What the resolvers of several types share: owners, paths, expansion of variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ci.engine.errors import EngineError
from ci.engine.graph.container import Container
from ci.engine.graph.steps import users
from ci.engine.graph.steps.users import Owner
from ci.engine.store.patterns import BadPattern, Selection

if TYPE_CHECKING:
    from ci.engine.api.registry import Call
    from ci.engine.works import Works

# Go's os.Expand: in braces any name will do; "${" and "${}" are eaten; one special character is a name.
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|(\{)|([*#$@!?0-9-])|([A-Za-z0-9_]+))")


def works(call: Call) -> Works:
    """The session's working parts."""
    return call.session.works


def numeric_owner(text: str) -> Owner | None:
    """``uid[:gid]`` as an owner, None for "": a directory has no passwd file to look a name up in.

    Raises:
        EngineError: it is a name.
    """
    if not text:
        return None
    owner = users.numeric(text)
    if owner is None:
        raise EngineError(f"invalid owner {text!r}: a directory knows no user names, use uid:gid")
    return owner


async def container_owner(
    call: Call, container: Container, text: str, *, expand: bool = False
) -> Owner | None:
    """The owner that ``user[:group]`` names in a container, None for "".

    Raises:
        EngineError: the container has no such user or group.
    """
    text = expanded(container, text) if expand else text
    if not text:
        return None
    known = users.numeric(text)
    if known is not None:
        return known
    parts = works(call)
    rootfs = await parts.evaluator.evaluate(container.rootfs)
    return users.owner(parts.store, rootfs, text)


def selection(include: Sequence[str] | None, exclude: Sequence[str] | None) -> Selection:
    """Include and exclude patterns; EngineError when one is malformed."""
    try:
        return Selection.parse(include or (), exclude or ())
    except BadPattern as error:
        raise EngineError(str(error)) from error


def expanded(container: Container, text: str) -> str:
    """``text`` with ``$NAME`` and ``${NAME}`` replaced by the container's variables; unset ones by "".

    Raises:
        EngineError: a secret variable is named: its value must not get into a configuration.
    """
    secrets = {name for name, _ in container.secret_env}
    volatile = {name for name, _ in container.volatile_env}
    return _expand(text, container.env, secrets, volatile)


def _expand(text: str, env: Mapping[str, str], secrets: set[str], volatile: set[str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3] or match[4] or ""
        if name in secrets:
            raise EngineError(f'expand cannot be used with secret env variable "{name}"')
        if name in volatile:
            raise EngineError(f'expand cannot be used with volatile env variable "{name}"')
        return env.get(name, "")

    return _VARIABLE.sub(value, text)


def container_path(container: Container, path: str, *, expand: bool) -> str:
    """A path seen from the container's working directory; a trailing slash is kept."""
    return container.absolute(expanded(container, path) if expand else path)
