"""Components that a provider makes, and their methods: what the provider is asked, and what it answers.

A component's provider registers the component and what is in it with this same monitor, whose address it
is given (Construct and Call of provider.proto).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.engine.deploy.contract import UpdateRequest
from infra.engine.protocol.messages import provider_pb2, resource_pb2
from infra.engine.protocol.monitor.requests import encoded
from infra.engine.values import Properties, compare
from infra.engine.values.wire import ALL, decode, encode, flatten

_HOOKS = ("before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete")


@dataclass(frozen=True, slots=True)
class Remote:
    """What a provider has to know of the deployment to take part in it."""

    request: UpdateRequest
    preview: bool
    monitor: str

    def _deployment(self) -> dict[str, Any]:
        return {
            "project": self.request.project,
            "stack": self.request.stack,
            "organization": self.request.organization,
            "config": dict(self.request.config),
            "configSecretKeys": sorted(self.request.secret_config),
            "dryRun": self.preview,
            "parallel": self.request.parallel,
            "monitorEndpoint": self.monitor,
            "accepts_output_values": True,
        }

    def construct(
        self,
        request: Any,
        given: Any,
        properties: Properties,
        depends: tuple[Iterable[str], Mapping[str, Iterable[str]]],
    ) -> Any:
        """Construct's request for a registration, its options ``given`` and what it ``depends`` on.

        The latter in all, and by property.
        """
        dependencies, by_property = depends
        inputs = provider_pb2.ConstructRequest.PropertyDependencies
        asked = provider_pb2.ConstructRequest(
            **self._deployment(),
            type=request.type,
            name=request.name,
            parent=request.parent,
            inputs=encode(properties, ALL),
            inputDependencies={key: inputs(urns=sorted(urns)) for key, urns in by_property.items()},
            providers=dict(given.providers),
            dependencies=sorted(dependencies),
            aliases=given.aliases,
            additionalSecretOutputs=given.additional_secret_outputs,
            deletedWith=given.deleted_with,
            replace_with=given.replace_with,
            ignoreChanges=given.ignore_changes,
            replaceOnChanges=given.replace_on_changes,
        )
        for name, value in (
            ("protect", "protect"),
            ("retainOnDelete", "retain_on_delete"),
            ("deleteBeforeReplace", "delete_before_replace"),
        ):
            if given.HasField(value):
                setattr(asked, name, getattr(given, value))
        if given.HasField("custom_timeouts"):
            for name in ("create", "update", "delete", "read"):
                setattr(asked.customTimeouts, name, getattr(given.custom_timeouts, name))
        if given.HasField("replacement_trigger"):
            asked.replacement_trigger.CopyFrom(given.replacement_trigger)
        if given.HasField("hooks"):
            for name in _HOOKS:
                getattr(asked.resource_hooks, name).extend(getattr(given.hooks, name))
        return asked

    def call(self, request: Any) -> Any:
        """Call's request for a call of the program's; outputs say themselves what they depend on."""
        arguments = decode(request.args, outputs=True)
        named = _by_key(request.argDependencies, arguments)
        depends = provider_pb2.CallRequest.ArgumentDependencies
        return provider_pb2.CallRequest(
            **self._deployment(),
            tok=request.tok,
            args=encode(arguments, ALL),
            argDependencies={key: depends(urns=sorted(urns)) for key, urns in named.items()},
        )


def _by_key(told: Mapping[str, Any], values: Properties) -> dict[str, set[str]]:
    """What each value depends on: as the message has ``told``, and as outputs say themselves."""
    named = {key: set(each.urns) for key, each in told.items()}
    for key, value in values.items():
        named.setdefault(key, set()).update(compare.dependencies(value))
    return named


def constructed(request: Any, answer: Any) -> Any:
    """The registration's response, out of Construct's."""
    outputs = decode(answer.state, outputs=True)
    named = _by_key(answer.stateDependencies, outputs)
    depends = resource_pb2.RegisterResourceResponse.PropertyDependencies
    return resource_pb2.RegisterResourceResponse(
        urn=answer.urn,
        object=encoded(request, {key: flatten(value) for key, value in outputs.items()}),
        propertyDependencies={key: depends(urns=sorted(urns)) for key, urns in named.items()},
        result=resource_pb2.SUCCESS,
    )


def called(answer: Any) -> Any:
    """The call's response to the program, out of the provider's."""
    outputs = decode(getattr(answer, "return"), outputs=True)
    named = _by_key(answer.returnDependencies, outputs)
    depends = provider_pb2.CallResponse.ReturnDependencies
    return provider_pb2.CallResponse(
        failures=answer.failures,
        returnDependencies={key: depends(urns=sorted(urns)) for key, urns in named.items()},
        **{"return": encode({key: flatten(value) for key, value in outputs.items()})},
    )
