"""From the protocol's registration messages to what the deployment is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.engine.deploy import urns
from infra.engine.deploy.errors import DeploymentError
from infra.engine.deploy.registration import Alias, Registration, Timeouts
from infra.engine.protocol.messages import alias_pb2, resource_pb2
from infra.engine.values import Output, Properties
from infra.engine.values.compare import contains_unknown, dependencies
from infra.engine.values.wire import Accepts, decode_value, encode

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)")
_HOOKS = {
    "BeforeCreate": "before_create",
    "AfterCreate": "after_create",
    "BeforeUpdate": "before_update",
    "AfterUpdate": "after_update",
    "BeforeDelete": "before_delete",
    "AfterDelete": "after_delete",
    "OnError": "on_error",
}


@dataclass(frozen=True, slots=True)
class Inherited:
    """What children take over from a resource that don't say otherwise."""

    protect: bool | None = None
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""


class InvalidRequestError(DeploymentError):
    """A program sent what it may not."""


def check_urn(urn: str, what: str) -> str:
    """``urn`` itself. Raises DeploymentError if it is none, and not empty."""
    if urn and not urns.valid(urn):
        raise InvalidRequestError(f'invalid {what} URN: invalid URN "{urn}"')
    return urn


def check_type(type_: str) -> str:
    """``type_`` itself. Raises DeploymentError if it is no type token."""
    if type_.count(":") != 2:
        raise InvalidRequestError(f"Type '{type_}' is not a valid type token (must have format '*:*:*')")
    return type_


def inherit(request: Any, parent: Inherited | None) -> None:
    """Fill in a registration's options from its parent's."""
    if parent is None:
        return
    request.deletedWith = request.deletedWith or parent.deleted_with
    if not request.HasField("protect") and parent.protect is not None:
        request.protect = parent.protect
    if not request.HasField("retainOnDelete") and parent.retain_on_delete is not None:
        request.retainOnDelete = parent.retain_on_delete
    if not request.provider and parent.provider:
        provider_urn, _ = urns.parse_reference(parent.provider)
        component = not request.remote and not request.custom
        if component or urns.package_of(urns.type_of(provider_urn)) == urns.package_of(request.type):
            request.provider = parent.provider


def inherited(request: Any, given: Any, provider: str) -> Inherited:
    """What the children of a resource that was registered take over from it."""
    return Inherited(
        protect=given.protect if given.HasField("protect") else None,
        retain_on_delete=given.retain_on_delete if given.HasField("retain_on_delete") else None,
        deleted_with=given.deleted_with,
        provider=provider,
        providers={} if request.custom else dict(given.providers),
        parent=request.parent,
    )


def options(request: Any, provider: str) -> Any:
    """A registration's options as a transform is given them."""
    given = resource_pb2.TransformResourceOptions(
        depends_on=request.dependencies,
        ignore_changes=request.ignoreChanges,
        replace_on_changes=request.replaceOnChanges,
        version=request.version,
        aliases=[*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *request.aliases],
        provider=provider,
        providers=dict(request.providers),
        hide_diff=request.hideDiffs,
        custom_timeouts=request.customTimeouts if request.HasField("customTimeouts") else None,
        plugin_download_url=request.pluginDownloadURL,
        deleted_with=request.deletedWith,
        replace_with=request.replace_with,
        additional_secret_outputs=request.additionalSecretOutputs,
        plugin_checksums=dict(request.pluginChecksums),
        hooks=request.hooks if request.HasField("hooks") else None,
        replacement_trigger=request.replacement_trigger if request.HasField("replacement_trigger") else None,
        **{"import": request.importId},
    )
    if request.HasField("protect"):
        given.protect = request.protect
    if request.HasField("retainOnDelete"):
        given.retain_on_delete = request.retainOnDelete
    if request.deleteBeforeReplaceDefined or request.deleteBeforeReplace:
        given.delete_before_replace = request.deleteBeforeReplace
    return given


PropertyDependencies = dict[str, set[str]]


def property_dependencies(request: Any, properties: Properties) -> PropertyDependencies:
    """Which resources each property depends on, as the request has it."""
    for dependency in request.dependencies:
        check_urn(dependency, "dependency")
    if not request.propertyDependencies and not request.remote:
        return {key: set(request.dependencies) for key in properties}
    return {
        key: {check_urn(urn, f"dependency on property {key}") for urn in each.urns}
        for key, each in request.propertyDependencies.items()
    }


def upgraded(properties: Properties, depends: PropertyDependencies) -> Properties:
    """Properties as outputs that know what they depend on, for a transform to see."""
    result: Properties = {}
    for key, value in properties.items():
        missing = depends.get(key, set()) - dependencies(value)
        if not missing:
            result[key] = value
            continue
        output = value if isinstance(value, Output) else Output(value, known=True)
        result[key] = replace(output, dependencies=tuple(sorted({*output.dependencies, *missing})))
    return result


def all_dependencies(
    request: Any, given: Any, properties: Properties, depends: PropertyDependencies
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The dependencies as the state has them, once transforms are through."""
    if request.transforms:
        by_property = {key: dependencies(value) for key, value in properties.items()}
        everything = {check_urn(urn, "dependency") for urn in given.depends_on}.union(*by_property.values())
        return tuple(sorted(everything)), _sorted(by_property)
    by_property = {key: depends.get(key, set()) | dependencies(value) for key, value in properties.items()}
    by_property.update({key: each for key, each in depends.items() if key not in by_property})
    return tuple(sorted(set(request.dependencies))), _sorted(by_property)


def _sorted(by_property: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(sorted(each)) for key, each in sorted(by_property.items())}


def registration(request: Any, given: Any) -> Registration:
    """The registration that ``request`` and its options ``given`` ask for.

    Properties and provider are left out.
    """
    return Registration(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        protect=given.protect,
        delete_before_replace=given.delete_before_replace
        if given.HasField("delete_before_replace")
        else None,
        ignore_changes=tuple(given.ignore_changes),
        replace_on_changes=tuple(given.replace_on_changes),
        replacement_trigger=decode_value(given.replacement_trigger)
        if given.HasField("replacement_trigger")
        else None,
        additional_secret_outputs=tuple(given.additional_secret_outputs),
        aliases=tuple(_alias(each) for each in given.aliases),
        import_id=getattr(given, "import"),
        timeouts=_timeouts(given),
        retain_on_delete=given.retain_on_delete,
        deleted_with=check_urn(given.deleted_with, "DeletedWith"),
        replace_with=tuple(given.replace_with),
        hide_diff=tuple(given.hide_diff),
        hooks=_hooks(given),
    )


def encoded(request: Any, outputs: Properties) -> Any:
    """A registration's ``outputs`` for its response, in so far as the program's SDK understands them."""
    if not request.supportsPartialValues:
        outputs = {key: value for key, value in outputs.items() if not contains_unknown(value)}
    return encode(outputs, Accepts(secrets=request.acceptSecrets, resources=request.acceptResources))


def _alias(alias: Any) -> Alias:
    if alias.WhichOneof("alias") != "spec":
        return Alias(urn=check_urn(alias.urn, "alias"))
    spec = alias.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=check_urn(spec.parentUrn, "parent alias"),
        no_parent=spec.noParent,
    )


def _hooks(given: Any) -> dict[str, tuple[str, ...]]:
    if not given.HasField("hooks"):
        return {}
    named = {kind: tuple(getattr(given.hooks, field_)) for kind, field_ in _HOOKS.items()}
    return {kind: names for kind, names in named.items() if names}


def _timeouts(given: Any) -> Timeouts:
    if not given.HasField("custom_timeouts"):
        return Timeouts()
    custom = given.custom_timeouts
    return Timeouts(
        create=seconds(custom.create),
        update=seconds(custom.update),
        delete=seconds(custom.delete),
        read=seconds(custom.read),
    )


def seconds(duration: str) -> float:
    """Seconds of a duration such as ``1h30m``. Raises DeploymentError for what is none."""
    if not duration:
        return 0
    parts = _DURATION.findall(duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise DeploymentError(
            f'unable to parse customTimeout value {duration}: time: invalid duration "{duration}"'
        )
    return sum(float(number) * _UNITS[unit] for number, unit in parts)
