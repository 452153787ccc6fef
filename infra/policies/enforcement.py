"""The policies at work: each resource is checked as the program registers it, before the engine hears of it.

The program does so itself, by a transformation: it happens in every preview and update, by whatever engine.
A resource that breaks a policy fails the program with one line, and is not made.
"""

from __future__ import annotations

import re
from typing import Any

import pulumi
from pulumi.runtime import rpc

from infra.policies.planned import Planned
from infra.policies.rules import violations


def enforce(environment: str) -> None:
    """Hold all resources that the program registers from now on to the policies."""

    def check(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        # An output of no resources: registration waits for it, and fails as it does.
        verdict: pulumi.Output[Any] = pulumi.Output.from_input(_verdict(environment, args))
        waiting = pulumi.ResourceOptions(depends_on=verdict)
        return pulumi.ResourceTransformationResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, waiting)
        )

    pulumi.runtime.register_stack_transformation(check)


async def _verdict(environment: str, args: pulumi.ResourceTransformationArgs) -> list[pulumi.Resource]:
    plain = await rpc.serialize_properties(args.props, {}, args.resource, input_transformer=_camel)
    inputs = rpc.deserialize_properties(plain, keep_unknowns=True)
    found = violations(Planned(environment, args.type_, args.name, _revealed(inputs)))
    if found:
        raise pulumi.RunError("\n".join(str(violation) for violation in found))
    return []


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def _revealed(value: Any) -> Any:
    """Values without the wrapping of secrets; policies quote none but images, roles and members."""
    if rpc.is_rpc_secret(value):
        return _revealed(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {name: _revealed(item) for name, item in value.items()}
    return [_revealed(item) for item in value] if isinstance(value, list) else value
