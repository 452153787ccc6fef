"""Run a pipeline and write its answer down: a value, or the error that a user would see."""

import enum
import re
from typing import Any

import anyio
import dagger

from tests.parity.world import Pipeline, World

#: One pipeline's answer, as JSON has it.
Answer = dict[str, Any]
#: Longer than any pipeline takes on a busy machine; a step by a real engine takes seconds.
SECONDS = 120
#: What differs from run to run of one engine, and what stands in its place.
_PASSING = (
    (re.compile(r" \[traceparent:[0-9a-f-]+\]"), ""),  # for the trace's viewer, on errors of some spans
    # Where the engine happened to show a file system, and the names of its calls to its client.
    (re.compile(r"/tmp/(?:dagger-mount|rootfs)\d+(?=/)"), ""),
    (re.compile(r"/tmp/(?:dagger-mount|rootfs)\d+"), "/"),
    (re.compile(r"^dagger-mount\d+$"), "/"),
    (re.compile(r"(?:unexpected closing recv msg: )?rpc error: code = \w+ desc = "), ""),
    (re.compile(r"\b[0-9a-v]{13}\b(?=[ .:\"']|$)"), "HOST"),  # a service's or a session's name
    (re.compile(r"load (?:[A-Za-z]+@\S+|xxh3:\w+): (?:inputs: )?"), ""),
    (re.compile(r"stat \S+/fs(?=\$FOLDER)"), "stat "),
    (re.compile(r"127\.0\.0\.1:\d{4,5}"), "127.0.0.1:PORT"),
)


async def answer(pipeline: Pipeline, world: World) -> Answer:
    """What the pipeline gives; nothing it may raise gets through, so that all of them can be compared."""
    try:
        with anyio.fail_after(SECONDS):
            found: Answer = {"value": await pipeline(world)}
    except dagger.ExecError as error:
        found = {
            "error": "ExecError",
            "message": error.message,
            "command": error.command,
            "exit_code": error.exit_code,
            "stdout": error.stdout,
            "stderr": error.stderr,
        }
    except dagger.QueryError as error:
        found = {"error": "QueryError", "message": str(error)}
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught
        found = {"error": type(error).__name__, "message": str(error)[:500]}
    return _plain(found, world)


def _plain(value: Any, world: World) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner, world) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, world) for inner in value]
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, str):
        return steady(value, world)
    return value


def steady(text: str, world: World) -> str:
    """``text`` without what is another each time."""
    for name, place in (
        (str(world.folder), "$FOLDER"),
        (str(world.folder.parent), "$WORKDIR"),
        (world.unique, "UNIQUE"),
    ):
        text = text.replace(name, place)
    return lasting(text)


def lasting(text: str) -> str:
    """``text`` without what is another for each run of an engine."""
    for pattern, place in _PASSING:
        text = pattern.sub(place, text)
    return text
