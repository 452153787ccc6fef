"""``Function`` and its arguments: how an SDK describes them, and how anyone reads them."""

# Resolvers and their parameters have the API's names.
# pylint: disable=redefined-outer-name

from __future__ import annotations

from dataclasses import replace

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.errors import EngineError
from ci.engine.graph.texts import durations
from ci.engine.modules.types import names
from ci.engine.modules.types.typedefs import LONGEST_TTL, Argument, Function, Object, SourceMap, TypeDef

serves_attributes("Function", "name", "description", "source_map", "deprecated")
serves_attributes("Function", args="arguments", return_type="returns", source_module_name="module")
serves_attributes(
    "FunctionArg", "name", "description", "default_path", "default_address", "source_map", "deprecated"
)

_CONTEXTUAL = ("Directory", "File", "GitRepository", "GitRef")


@serves("Query")
def function(_call: Call, _parent: object, *, name: str, return_type: TypeDef) -> Function:
    """A function."""
    return Function(names.lower_camel(name), name, return_type)


@serves("FunctionArg")
def type_def(_call: Call, parent: Argument) -> TypeDef:
    """The argument's type: optional where a default is found around the module."""
    return replace(parent.type, optional=True) if parent.contextual else parent.type


@serves("FunctionArg")
def default_value(_call: Call, parent: Argument) -> str:
    """The argument's default in JSON, "" for none."""
    return parent.default or ""


@serves("FunctionArg")
def ignore(_call: Call, parent: Argument) -> list[str]:
    """What is left out of a directory."""
    return list(parent.ignore)


@serves("Function")
def with_description(_call: Call, parent: Function, *, description: str) -> Function:
    """With a description."""
    return replace(parent, description=description.strip())


@serves("Function")
def with_deprecated(_call: Call, parent: Function, *, reason: str | None = None) -> Function:
    """As one that should not be used any more."""
    return replace(parent, deprecated=reason or "")


@serves("Function")
def with_check(_call: Call, parent: Function) -> Function:
    """As a check."""
    return replace(parent, check=True)


@serves("Function")
def with_generator(_call: Call, parent: Function) -> Function:
    """As a generator."""
    return replace(parent, generator=True)


@serves("Function")
def with_up(_call: Call, parent: Function) -> Function:
    """As a service."""
    return replace(parent, up=True)


@serves("Function")
def with_source_map(_call: Call, parent: Function, *, source_map: SourceMap) -> Function:
    """With its place in the source."""
    return replace(parent, source_map=source_map)


@serves("Function")
def with_cache_policy(
    _call: Call, parent: Function, *, policy: str, time_to_live: str | None = None
) -> Function:
    """With a rule for when its results may be used again."""
    if time_to_live is None:
        return replace(parent, cache_policy=policy, ttl=None)
    if policy != "Default":
        raise EngineError("time to live can only be set with default cache policy")
    try:
        seconds = durations.parsed(time_to_live) / 10**9
    except EngineError as error:
        raise EngineError(f'failed to parse time to live duration "{time_to_live}": {error}') from error
    if seconds == 0:
        return replace(parent, cache_policy="Never", ttl=None)
    if seconds < 1:
        raise EngineError(f'time to live duration must be at least "1s", got "{time_to_live}"')
    if seconds > LONGEST_TTL:
        raise EngineError(f'time to live duration must be at most "168h0m0s", got "{time_to_live}"')
    return replace(parent, cache_policy=policy, ttl=int(seconds))


@serves("Function")
def with_arg(
    _call: Call,
    parent: Function,
    *,
    name: str,
    type_def: TypeDef,
    description: str = "",
    default_value: str | None = None,
    default_path: str = "",
    ignore: list[str] | None = None,
    source_map: SourceMap | None = None,
    deprecated: str | None = None,
    default_address: str = "",
) -> Function:
    """With one more argument."""
    if sum((default_value is not None, bool(default_path), bool(default_address))) > 1:
        raise EngineError("cannot set more than one default value")
    kind = type_def.named.name if isinstance(type_def.named, Object) else ""
    if default_path and kind not in _CONTEXTUAL:
        what = f"cannot set default path for {kind}" if kind else _only("default path", type_def)
        raise EngineError(what)
    if default_address and kind != "Container":
        what = "default address for Container type, not"
        raise EngineError(f"can only set {what} {kind}" if kind else _only("default address", type_def))
    if ignore and kind != "Directory":
        what = f"can only set ignore for Directory type, not {kind}"
        raise EngineError(what if kind else _only("ignore", type_def))
    argument = Argument(
        names.lower_camel(name),
        name,
        type_def,
        description.strip(),
        default_value,
        default_path,
        default_address,
        tuple(ignore or ()),
        source_map,
        deprecated,
    )
    return replace(parent, arguments=(*parent.arguments, argument))


def _only(what: str, type_: TypeDef) -> str:
    return f"can only set {what} for Object, not {type_.kind.removesuffix('_KIND')}"
