"""Instructions of a Dockerfile that change a container's configuration and none of its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ci.engine.dockerfile import Instruction, expanded, split
from ci.engine.dockerfile.reader import parsed
from ci.engine.graph.container import Container, Port
from ci.engine.graph.serving.healthcheck import HealthCheck
from ci.engine.graph.texts import durations

if TYPE_CHECKING:
    from ci.engine.api.types.dockerfile.build import State

_PORT = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp))?", re.IGNORECASE)


def configured(state: State, each: Instruction) -> None:
    """Change the configuration of a stage's container as an instruction says.

    Raises:
        DockerfileError: it makes no sense.
    """
    if each.keyword != "MAINTAINER":  # the name of somebody, which nothing depends on
        state.container = _CHANGES[each.keyword](state, each)


def _env(state: State, each: Instruction) -> Container:
    container = state.container
    for name, value in _pairs(state, each):
        container = container.with_env(name, value)
    return container


def _label(state: State, each: Instruction) -> Container:
    labels = {**dict(state.container.config.labels), **dict(_pairs(state, each))}
    return state.container.with_config(labels=tuple(sorted(labels.items())))


def _expose(state: State, each: Instruction) -> Container:
    container = state.container
    for port in _ports(state, each):
        container = container.with_port(port)
    return container


def _user(state: State, each: Instruction) -> Container:
    return state.container.with_config(user=expanded(each.rest, state.variables, each.escape))


def _volume(state: State, each: Instruction) -> Container:
    volumes = {*state.container.config.volumes, *state.words(each)}
    return state.container.with_config(volumes=tuple(sorted(volumes)))


def _stop_signal(state: State, each: Instruction) -> Container:
    return state.container.with_config(stop_signal=expanded(each.rest, state.variables, each.escape))


def _cmd(state: State, each: Instruction) -> Container:
    state.has_command = True
    return state.container.with_config(cmd=_command(state, each) or None)


def _entrypoint(state: State, each: Instruction) -> Container:
    changed = state.container.with_config(entrypoint=_command(state, each) or None)
    return changed if state.has_command else changed.with_config(cmd=None)


def _healthcheck(state: State, each: Instruction) -> Container:
    return state.container.with_config(healthcheck=_check(each))


def _onbuild(state: State, each: Instruction) -> Container:
    parsed(each.rest, each.line, each.escape)
    return state.container.with_config(onbuild=(*state.container.config.onbuild, each.rest))


_CHANGES: Mapping[str, Callable[[State, Instruction], Container]] = {
    "ENV": _env,
    "LABEL": _label,
    "EXPOSE": _expose,
    "USER": _user,
    "VOLUME": _volume,
    "STOPSIGNAL": _stop_signal,
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "HEALTHCHECK": _healthcheck,
    "ONBUILD": _onbuild,
}


def _command(state: State, each: Instruction) -> tuple[str, ...]:
    """A command: its words in JSON form, else a shell with its text."""
    if each.words_in_json is not None:
        return each.words_in_json
    return (*state.shell, each.rest) if each.rest else ()


def _pairs(state: State, each: Instruction) -> Iterator[tuple[str, str]]:
    """``name=value`` pairs, or the old form of one name and the rest of the line."""
    words = split(each.rest, each.escape)
    if "=" not in words[0]:
        if len(words) == 1:
            raise each.error(f"{each.keyword} must have two arguments")
        text = each.rest.removeprefix(words[0]).strip()
        yield words[0], expanded(text, state.variables, each.escape)
        return
    before = state.variables
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise each.error(f"Syntax error - can't find = in {word!r}. Must be of the form: name=value")
        yield expanded(name, before, each.escape), expanded(value, before, each.escape)


def _ports(state: State, each: Instruction) -> Iterator[Port]:
    for word in state.words(each):
        match = _PORT.fullmatch(word)
        if match is None:
            raise each.error(f"invalid containerPort: {word}")
        first = int(match[1])
        for number in range(first, int(match[2] or first) + 1):
            yield Port(number, (match[3] or "tcp").upper())


def _check(each: Instruction) -> dict[str, object]:
    kind, _, rest = each.rest.partition(" ")
    if kind.upper() == "NONE":
        return {"Test": ["NONE"]}
    if kind.upper() != "CMD":
        raise each.error(f"Unknown type {kind!r} in HEALTHCHECK (try CMD)")
    command = Instruction("CMD", rest.strip(), each.line, escape=each.escape)
    lengths = {name: durations.parsed(each.flag(name) or "0") for name in _LENGTHS}
    words = command.words_in_json
    check = HealthCheck(
        words if words is not None else (command.rest,),
        words is None,
        interval=lengths["interval"],
        timeout=lengths["timeout"],
        start_period=lengths["start-period"],
        start_interval=lengths["start-interval"],
        retries=int(each.flag("retries") or 0),
    )
    return check.to_json()


_LENGTHS = ("interval", "timeout", "start-period", "start-interval")
