"""A step: a command that leaves a note of when it ran.

A result that comes from a cache brings the old note along. So whether something ran or came from the cache
can be told on any engine, by comparing the note with the time at which this run began.
"""

import time
from collections.abc import Sequence

import dagger

from ci.stages.downloads import WITH_SETTINGS

NOTE = "/run/ran-at"
WITH_NOTE = f'date +%s.%N >{NOTE} && exec "$@"'
_WRAPPERS = (WITH_NOTE, WITH_SETTINGS)


def step(
    container: dagger.Container,
    command: Sequence[str],
    expect: dagger.ReturnType = dagger.ReturnType.SUCCESS,
) -> dagger.Container:
    """Run a command as a step. The note is outside of every folder that a stage hands on."""
    return container.with_exec(["sh", "-c", WITH_NOTE, "step", *command], expect=expect)


def fresh(container: dagger.Container) -> dagger.Container:
    """The container, with what comes after it never taken from a cache."""
    return container.with_env_variable("SHIPWAY_ASKED_AT", str(time.time_ns()))


async def ran_at(container: dagger.Container) -> float:
    """When the last step of a container ran, in seconds since the epoch by the engine's clock.

    Evaluates the container.

    Raises:
        dagger.ExecError: a command on the way to it failed.
    """
    return float(await container.file(NOTE).contents())


def plain(command: Sequence[str]) -> list[str]:
    """The command that a stage meant, without the shell that it was wrapped in."""
    words = list(command)
    while len(words) > 4 and words[:2] == ["sh", "-c"] and words[2] in _WRAPPERS:
        words = words[4:]
    return words
