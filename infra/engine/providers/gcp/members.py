"""IAM: one member of one role of a resource's policy, which others may change at the same time.

A policy is read, changed and written back with its etag; when somebody else was quicker, it is done again.
"""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin,unused-argument

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import anyio

from infra.engine.providers.contract import GONE, Checked, Created, Diff, Found, ProviderError, Target
from infra.engine.providers.gcp import checking, comparing, likeness, naming
from infra.engine.providers.gcp.client import Client, GoogleError, Json, Request
from infra.engine.providers.gcp.configuration import Configuration
from infra.engine.providers.gcp.errors import about
from infra.engine.providers.gcp.schema import Schema, parse
from infra.engine.providers.gcp.shaping import plain
from infra.engine.values import Properties, Unknown

ATTEMPTS: Final = 12
_ID: Final = re.compile(r"(\S+?)[ /]((?:projects/[^/ ]+/|organizations/[^/ ]+/)?roles/[^/ ]+)[ /](\S+)")
POLICY_VERSION: Final = 3
"""Of policies with conditions."""
_BODY: Final = """
role       string   required replaces
member     string   required replaces
condition  object   replaces
  expression   string  required
  title        string  required
  description  string
etag       string   computed
"""


@dataclass(frozen=True, slots=True)
class Policied:
    """A type of IAM member: the resource that has the policy, and the names of the properties that say which.

    ``names`` is the property that has the resource's name, short or whole, and that is kept whole in the
    state when ``whole``. ``reads`` and ``writes`` are method and path suffix of the policy's verbs.
    """

    type: str
    product: str
    resource: str
    names: str
    whole: bool = True
    reads: tuple[str, str] = ("GET", ":getIamPolicy?options.requestedPolicyVersion=3")
    writes: tuple[str, str] = ("POST", ":setIamPolicy")
    bare: bool = False

    @property
    def schema(self) -> Schema:
        """What its properties are: those that name the resource, a role, a member, and a condition."""
        places = "project" if "{project}" in self.resource and self.names != "project" else ""
        location = "location" if "{location}" in self.resource else ""
        optional = "\n".join(f"{name} string either replaces" for name in (places, location) if name)
        return parse(f"{self.names} string required replaces\n{optional}\n{_BODY}")


_ASKED: Final = ("POST", ":getIamPolicy")
_RUN: Final = "projects/{project}/locations/{location}"

POLICIED: Final[Mapping[str, Policied]] = {
    each.type: each
    for each in (
        Policied(
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
            "cloudRunV2",
            f"{_RUN}/services/{{name}}",
            "name",
        ),
        Policied("gcp:cloudrunv2/jobIamMember:JobIamMember", "cloudRunV2", f"{_RUN}/jobs/{{name}}", "name"),
        Policied(
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            "artifactRegistry",
            f"{_RUN}/repositories/{{repository}}",
            "repository",
        ),
        Policied(
            "gcp:secretmanager/secretIamMember:SecretIamMember",
            "secretManager",
            "projects/{project}/secrets/{secretId}",
            "secretId",
        ),
        Policied(
            "gcp:serviceaccount/iAMMember:IAMMember",
            "iam",
            "{serviceAccountId}",
            "serviceAccountId",
            whole=False,
            reads=("POST", ":getIamPolicy?options.requestedPolicyVersion=3"),
        ),
        Policied(
            "gcp:projects/iAMMember:IAMMember",
            "resourceManager",
            "projects/{project}",
            "project",
            whole=False,
            reads=_ASKED,
        ),
        Policied(
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "storage",
            "b/{bucket}",
            "bucket",
            reads=("GET", "/iam?optionsRequestedPolicyVersion=3"),
            writes=("PUT", "/iam"),
            bare=True,
        ),
    )
}


class Members:
    """One type of IAM member."""

    def __init__(
        self, policied: Policied, client: Client, configuration: Configuration, locks: dict[str, anyio.Lock]
    ) -> None:
        """``locks`` are by resource: members of one policy written by us wait for each other."""
        self._policied = policied
        self._client = client
        self._configuration = configuration
        self._locks = locks

    def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Inputs, and what is wrong with them."""
        return checking.check(self._policied.schema, olds, news, name=target.name, seed=seed, auto=None)

    def diff(self, target: Target, old_inputs: Properties, state: Properties, news: Properties) -> Diff:
        """Whatever differs takes a replacement."""
        changes = comparing.compare(self._policied.schema, state, self._completed(news), likeness.same)
        tops = tuple(dict.fromkeys(change.top for change in changes))
        return Diff(changes=bool(tops), replaces=tops, changed=tops, detailed=comparing.detailed(changes))

    def planned(self, target: Target, state: Properties, news: Properties) -> Properties:
        """What is wanted; the policy's etag is unknown."""
        return {"etag": state.get("etag", Unknown()), **self._completed(news)}

    async def create(self, target: Target, inputs: Properties) -> Created:
        """Add the member to the policy."""
        wanted = self._completed(inputs)
        resource = self._resource(wanted)
        with about("creating", target, self._id(resource, wanted)):
            policy = await self._change(resource, lambda bindings: _with(bindings, wanted))
        return Created(self._id(resource, wanted), self._outputs(resource, wanted, policy))

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """Look whether the policy has the member."""
        known = plain(state) or plain(inputs) or self._parsed(id)
        wanted = self._completed(known)
        resource = self._resource(wanted)
        with about("reading", target, id):
            try:
                policy = await self._policy(resource)
            except GoogleError as error:
                if error.code == 404:
                    return GONE
                raise
        if not any(
            _is(binding, wanted) and wanted["member"] in binding["members"] for binding in _bindings(policy)
        ):
            return GONE
        outputs = self._outputs(resource, wanted, policy)
        return Found(
            self._id(resource, wanted), outputs, inputs or likeness.inputs(self._policied.schema, {}, outputs)
        )

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """A member is named by its inputs."""
        return await self.read(target, "", inputs, {})

    async def update(self, target: Target, id: str, state: Properties, news: Properties) -> Properties:
        """There is nothing that can be changed."""
        raise ProviderError(f"{target.type} {id} can't be changed, only replaced")

    async def delete(self, target: Target, id: str, state: Properties) -> None:
        """Take the member out of the policy; a policy that is gone is well."""
        wanted = self._completed(plain(state))
        with about("deleting", target, id):
            try:
                await self._change(self._resource(wanted), lambda bindings: _without(bindings, wanted))
            except GoogleError as error:
                if error.code != 404:
                    raise

    async def _policy(self, resource: str) -> Json:
        method, suffix = self._policied.reads
        body = (
            {"options": {"requestedPolicyVersion": POLICY_VERSION}}
            if self._policied.reads == _ASKED
            else None
        )
        return await self._client.call(Request(self._policied.product, method, f"{resource}{suffix}", body))

    async def _change(self, resource: str, change: Callable[[list[Json]], list[Json]]) -> Json:
        method, suffix = self._policied.writes
        async with self._locks.setdefault(resource, anyio.Lock()):
            for attempt in range(ATTEMPTS):
                policy = await self._policy(resource)
                bindings = change(_bindings(policy))
                if bindings == policy.get("bindings", []):
                    return policy
                new = {**policy, "bindings": bindings, "version": POLICY_VERSION}
                body = new if self._policied.bare else {"policy": new}
                try:
                    return await self._client.call(
                        Request(self._policied.product, method, f"{resource}{suffix}", body)
                    )
                except GoogleError as error:
                    if error.code not in {409, 412} or attempt == ATTEMPTS - 1:
                        raise
                await anyio.sleep(0.05 * 2 ** min(attempt, 6))
        raise AssertionError("the last attempt returns or raises")

    def _completed(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = plain(dict(inputs))
        # A name that is whole says where the resource is.
        given = naming.parts(self._policied.resource, str(wanted.get(self._policied.names, "")))
        for name, key in (("project", "project"), ("location", "region")):
            if f"{{{name}}}" in self._policied.resource and not wanted.get(name):
                wanted[name] = given.get(name) or self._configuration.place(key, name)
        return wanted

    def _resource(self, wanted: Mapping[str, Any]) -> str:
        """The resource's name."""
        names = self._policied.names
        if self._policied.resource == f"{{{names}}}":
            return str(wanted[names])
        return naming.fill(self._policied.resource, {**wanted, names: naming.last(str(wanted[names]))})

    def _id(self, resource: str, wanted: Mapping[str, Any]) -> str:
        shown = resource if self._policied.names != "project" else wanted["project"]
        title = (wanted.get("condition") or {}).get("title")
        return "/".join((shown, wanted["role"], wanted["member"], *((title,) if title else ())))

    def _outputs(self, resource: str, wanted: Mapping[str, Any], policy: Json) -> Properties:
        outputs = {**wanted, "etag": policy.get("etag", ""), "id": self._id(resource, wanted)}
        if self._policied.whole:
            outputs[self._policied.names] = resource
        return outputs

    def _parsed(self, id: str) -> Properties:
        """The properties in an id for an import: ``RESOURCE ROLE MEMBER``, as Terraform has it."""
        found = _ID.fullmatch(id)
        if found is None:
            raise ProviderError(f"{id!r} is no id of an IAM member; it must be 'RESOURCE ROLE MEMBER'")
        resource, role, member = found.groups()
        places = naming.parts(self._policied.resource, resource) or {self._policied.names: resource}
        return {**places, "role": role, "member": member}


def _bindings(policy: Json) -> list[Json]:
    bindings: list[Json] = policy.get("bindings") or []
    return bindings


def _is(binding: Json, wanted: Mapping[str, Any]) -> bool:
    """Whether a binding is for a member's role under its condition."""
    return bool(
        binding["role"] == wanted["role"] and (binding.get("condition") or None) == _condition(wanted)
    )


def _condition(wanted: Mapping[str, Any]) -> Json | None:
    condition = wanted.get("condition")
    return None if not condition else {name: value for name, value in condition.items() if value}


def _with(bindings: list[Json], wanted: Mapping[str, Any]) -> list[Json]:
    changed, found = [], False
    for binding in bindings:
        if _is(binding, wanted):
            found = True
            members = [*binding["members"], *({wanted["member"]} - set(binding["members"]))]
            changed.append({**binding, "members": members})
        else:
            changed.append(binding)
    if not found:
        condition = _condition(wanted)
        new: Json = {"role": wanted["role"], "members": [wanted["member"]]}
        changed.append(new if condition is None else {**new, "condition": condition})
    return changed


def _without(bindings: list[Json], wanted: Mapping[str, Any]) -> list[Json]:
    changed = []
    for binding in bindings:
        if _is(binding, wanted):
            members = [member for member in binding["members"] if member != wanted["member"]]
            if members:
                changed.append({**binding, "members": members})
        else:
            changed.append(binding)
    return changed
