"""Resources over REST: made by POST, changed by PATCH, read by GET, each as ``catalog`` describes it."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin,unused-argument

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import anyio

from infra.engine.providers.contract import (
    GONE,
    Checked,
    Created,
    Diff,
    Difference,
    Found,
    InitError,
    PropertyDifference,
    ProviderError,
    Target,
)
from infra.engine.providers.gcp import checking, comparing, likeness, naming, special
from infra.engine.providers.gcp.catalog import Kind
from infra.engine.providers.gcp.client import Client, GoogleError, Json, LostError, Request
from infra.engine.providers.gcp.configuration import ATTRIBUTION, Configuration
from infra.engine.providers.gcp.errors import about
from infra.engine.providers.gcp.shaping import from_api, plain, to_api
from infra.engine.values import Properties, Unknown

META: Final = "__meta"


class Rest:
    """One kind of resource."""

    def __init__(self, kind: Kind, client: Client, configuration: Configuration) -> None:
        self._kind = kind
        self._client = client
        self._configuration = configuration

    def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        """Inputs with defaults, and what is wrong with them."""
        kind = self._kind
        return checking.check(kind.schema, olds, news, name=target.name, seed=seed, auto=kind.auto)

    def diff(self, target: Target, old_inputs: Properties, state: Properties, news: Properties) -> Diff:
        """Terraform's differences; labels differ together with what is made of them."""
        wanted = self._completed(news)
        changes = comparing.compare(self._kind.schema, state, wanted, likeness.same)
        details = dict(comparing.detailed(changes))
        tops = list(dict.fromkeys(change.top for change in changes))
        if self._kind.labelled and self._labels_differ(state, wanted):
            for name in ("pulumiLabels", "effectiveLabels"):
                details[name] = PropertyDifference(Difference.UPDATE, input=False)
                tops.append(name)
        replaces = tuple(dict.fromkeys(change.top for change in changes if change.kind.replaces))
        return Diff(
            changes=bool(tops),
            replaces=replaces,
            changed=tuple(tops),
            delete_before_replace=bool(replaces) and self._kind.delete_before_replace,
            detailed=details,
        )

    def planned(self, target: Target, state: Properties, news: Properties) -> Properties:
        """What is wanted, and for the rest what it is; what the cloud will say of a new one is unknown."""
        wanted = self._completed(news)
        known: Properties = dict(state)
        if not state:
            known = {name: Unknown() for name, field in self._kind.schema.items() if field.filled}
        return {**known, **wanted, **self._labelled(wanted, state)}

    async def create(self, target: Target, inputs: Properties) -> Created:
        """Make it, wait until it is there, and read it."""
        kind, wanted = self._kind, self._completed(inputs)
        wanted |= self._labelled(wanted, {})
        made = "" if kind.numbered else naming.fill(kind.id, wanted)
        with about("creating", target, made):
            path = naming.fill(kind.create, wanted, quoted=True)
            answer = await self._client.call(Request(kind.product, "POST", path, self._body(wanted)))
            if kind.numbered:
                made = answer["name"]
            try:
                settled = await self._settled(target, answer)
                switched = await self._switch(made, wanted, {})
                found = answer if settled and not switched else await self._get(made, wanted)
            except (GoogleError, LostError, TimeoutError) as error:
                raise await self._half_made(target, made, wanted, inputs, error) from error
        outputs = self._outputs(made, found, wanted)
        self._well(target, made, found, outputs, inputs)
        return Created(made, outputs)

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        """It as it is; its inputs are those that it had, with the values that they have now."""
        with about("reading", target, id):
            try:
                answer = await self._get(id, plain(state) or plain(inputs))
            except GoogleError as error:
                if error.code == 404:
                    return GONE
                raise
        if answer.get("state") in self._kind.gone:
            return GONE
        if self._kind.access and not state and not inputs:
            answer |= await self._client.call(Request(self._kind.product, "GET", f"{id}:{self._kind.access}"))
        known = {**naming.parts(self._kind.id, id), **(plain(state) or plain(inputs))}
        outputs = self._outputs(id, answer, known)
        now = likeness.inputs(self._kind.schema, inputs, outputs)
        if state:
            self._well(target, id, answer, outputs, now)
        return Found(id, outputs, now)

    async def recover(self, target: Target, inputs: Properties) -> Found | None:
        """By its id where that is in its inputs, else by what people see it called."""
        kind, wanted = self._kind, self._completed(inputs)
        if not kind.numbered:
            return await self._recovered(target, naming.fill(kind.id, wanted), inputs)
        if kind.access:
            found = await self.read(target, f"{wanted['secret']}/versions/latest", {}, {})
            same = found.outputs.get("secretData") == wanted.get("secretData")
            return Found(str(found.outputs["name"]), found.outputs, inputs) if found.id and same else GONE
        if not kind.likeness or not wanted.get(kind.likeness):
            return None
        listed = await self._client.call(
            Request(kind.product, "GET", naming.fill(kind.create, wanted, quoted=True))
        )
        collection = naming.last(kind.create)
        for answer in listed.get(collection) or ():
            if answer.get(kind.likeness) == wanted[kind.likeness]:
                known = self._outputs(answer["name"], answer, wanted)
                return Found(answer["name"], known, inputs)
        return GONE

    async def _recovered(self, target: Target, id: str, inputs: Properties) -> Found:
        """What has that id, once the cloud has done with it. Raises InitError if it isn't well."""
        pause = 0.1
        while (found := await self.read(target, id, inputs, {})).outputs.get("reconciling") is True:
            await anyio.sleep(pause)
            pause = min(2 * pause, 2.0)
        if found.id:
            self._well(target, id, await self._get(id, found.outputs), found.outputs, inputs)
        return found

    async def update(self, target: Target, id: str, state: Properties, news: Properties) -> Properties:
        """Change what differs, wait until it is so, and read it."""
        kind, wanted = self._kind, self._completed(news)
        wanted |= self._labelled(wanted, state)
        with about("updating", target, id):
            try:
                request = self._patch(id, state, wanted)
                if request is not None:
                    await self._settled(target, await self._client.call(request))
                await self._switch(id, wanted, state)
            except (LostError, TimeoutError) as error:
                raise await self._half_made(target, id, wanted, news, error) from error
            except GoogleError as error:
                if error.operation:
                    raise await self._half_made(target, id, wanted, news, error) from error
                raise
            found = await self._get(id, wanted)
        outputs = self._outputs(id, found, {**plain(state), **wanted} if kind.numbered else wanted)
        self._well(target, id, found, outputs, news)
        return outputs

    async def delete(self, target: Target, id: str, state: Properties) -> None:
        """Take it away; what is gone already is well."""
        kind = self._kind
        if state.get("deletionProtection") is True:
            raise ProviderError(
                f"deleting {target.type} {id}: it has deletionProtection: set that to false first"
            )
        if state.get("deletionPolicy") == "PREVENT":
            raise ProviderError(f"deleting {target.type} {id}: its deletionPolicy is PREVENT")
        if state.get("deletionPolicy") == "ABANDON":
            return
        verb = Request(kind.product, "DELETE", self._path(id, state))
        if kind.destroy:
            verb = Request(kind.product, "POST", f"{id}:{kind.destroy}", {})
        with about("deleting", target, id):
            try:
                await self._settled(target, await self._client.call(verb))
            except GoogleError as error:
                if error.code != 404 and not (kind.gone and await self._is_gone(id, state)):
                    raise

    async def _is_gone(self, id: str, state: Properties) -> bool:
        return (await self._get(id, state)).get("state") in self._kind.gone

    async def _get(self, id: str, known: Mapping[str, Any]) -> Json:
        return await self._client.call(Request(self._kind.product, "GET", self._path(id, known)))

    def _path(self, id: str, known: Mapping[str, Any]) -> str:
        """The path of a resource below its endpoint: its id, unless that says less."""
        kind = self._kind
        if not kind.path:
            return id
        project = known.get("project") or self._configuration.place("project", "project")
        return naming.fill(kind.path, {"project": project, **naming.parts(kind.id, id)}, quoted=True)

    async def _settled(self, target: Target, answer: Json) -> bool:
        """Whether an answer is the resource itself; a long-running operation is followed to its end."""
        if "/operations/" not in str(answer.get("name", "")):
            return True
        await self._client.finished(self._kind.product, answer, target.timeout or self._kind.timeout)
        return False

    async def _switch(self, id: str, wanted: Properties, state: Properties) -> bool:
        """Turn on or off what has verbs of its own for that, and say whether that took one."""
        switch = self._kind.switch
        if switch is None or switch.property not in wanted:
            return False
        default = self._kind.schema[switch.property].default
        if wanted[switch.property] == state.get(switch.property, default):
            return False
        verb = switch.on if wanted[switch.property] else switch.off
        await self._client.call(Request(self._kind.product, "POST", f"{id}:{verb}", {}))
        return True

    @staticmethod
    def _well(target: Target, id: str, answer: Json, outputs: Properties, inputs: Properties) -> None:
        """Raise InitError for what is not ready: an operation that changes nothing succeeds."""
        condition = answer.get("terminalCondition") or {}
        if condition.get("state") == "CONDITION_FAILED":
            reason = condition.get("message") or condition.get("reason")
            raise InitError(id, outputs, (f"{target.type} {id}: {reason}",), inputs)

    async def _half_made(
        self, target: Target, id: str, wanted: Properties, inputs: Properties, error: Exception
    ) -> Exception:
        """The error to raise when the API accepted a change, and it did not come to a good end.

        The resource is kept in the state as it is now, so that the next update goes on from there.
        """
        reason = str(error) or f"it took longer than {target.timeout or self._kind.timeout:.0f} s"
        outputs: Properties = {**wanted, "id": id}
        try:
            outputs = self._outputs(id, await self._get(id, wanted), wanted)
        except GoogleError as now:
            if now.code == 404:
                return error
        except LostError:
            pass
        return InitError(id, outputs, (f"{target.type} {id}: {reason}",), inputs)

    def _patch(self, id: str, state: Properties, wanted: Properties) -> Request | None:
        kind, body = self._kind, self._body(wanted)
        path = self._path(id, wanted)
        mask, differs = self._mask(state, wanted)
        if kind.update == "put":
            return Request(kind.product, "PUT", path, body)
        if kind.update == "whole":
            # Nothing differs when an update is tried again that the cloud could not carry out.
            return None if differs and not mask else Request(kind.product, "PATCH", path, body)
        if kind.update == "none" or not mask:
            return None
        if kind.update == "body":
            return Request(kind.product, "PATCH", path, {**body, "updateMask": ",".join(mask)})
        return Request(kind.product, "PATCH", f"{path}?updateMask={','.join(mask)}", body)

    def _mask(self, state: Properties, wanted: Properties) -> tuple[list[str], bool]:
        """What of the API's fields differs, and whether anything does at all."""
        schema = self._kind.schema
        changes = comparing.compare(schema, state, wanted, likeness.same)
        mask = [schema[change.top].api for change in changes if schema[change.top].sent]
        if self._kind.labelled and self._labels_differ(state, wanted):
            mask.append("labels")
        return list(dict.fromkeys(mask)), bool(changes or mask)

    def _body(self, wanted: Properties) -> Json:
        body = to_api(self._kind.schema, wanted)
        if self._kind.labelled:
            body["labels"] = wanted["effectiveLabels"]
        return self._kind.encode(body, wanted)

    def _completed(self, inputs: Properties) -> dict[str, Any]:
        """Inputs without bookkeeping, with the project and region that the provider is configured with."""
        wanted: dict[str, Any] = plain(inputs)
        for name, key in (("project", "project"), ("location", "region")):
            if name in self._kind.schema and wanted.get(name) is None:
                known = naming.parts("projects/{project}/{rest}", str(wanted.get("secret", "")))
                wanted[name] = known.get(name) or self._configuration.place(key, name)
        if "deletionPolicy" in self._kind.schema:
            wanted.setdefault("deletionPolicy", "DELETE")
        return wanted

    def _labelled(self, wanted: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """Labels and annotations as they will be: the user's, the provider's, and those of others."""
        made: dict[str, Any] = {}
        if self._kind.labelled:
            labels = self._pulumi_labels(wanted, state)
            made["pulumiLabels"] = labels
            made["effectiveLabels"] = {**_foreign(state, "effectiveLabels", "pulumiLabels"), **labels}
        if self._kind.annotated:
            annotations = wanted.get("annotations") or {}
            made["effectiveAnnotations"] = {
                **_foreign(state, "effectiveAnnotations", "annotations"),
                **annotations,
            }
        return made

    def _pulumi_labels(self, wanted: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
        """The attribution is given at creation alone, and stays where it was given."""
        provider = dict(self._configuration.labels)
        before = state.get("pulumiLabels")
        if state and ATTRIBUTION not in (comparing.revealed(before) or {}):
            provider.pop(ATTRIBUTION, None)
        return {**provider, **(comparing.revealed(wanted.get("labels")) or {})}

    def _labels_differ(self, state: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        before = comparing.revealed(state.get("pulumiLabels"))
        return before is not None and before != self._pulumi_labels(wanted, state)

    def _outputs(self, id: str, answer: Json, known: Mapping[str, Any]) -> Properties:
        """All properties: what the API says, and what it doesn't know from the id and from before."""
        kind = self._kind
        answer = dict(kind.decode(answer, known))
        local = answer.pop(special.LOCAL, {})
        outputs = from_api(kind.schema, answer)
        before = {**known, **naming.parts(kind.id, id), **local}
        for name, field in kind.schema.items():
            if not field.sent:
                value = before.get(name, field.default)
                if value is not None:
                    outputs[name] = value
        if "project" in kind.schema:
            # Ids that Google makes have the project's number.
            outputs["project"] = known.get("project") or self._configuration.place("project", "project")
        outputs |= self._label_outputs(answer, known)
        if "deletionPolicy" in kind.schema:
            outputs.setdefault("deletionPolicy", "DELETE")
        return {**outputs, "id": id, META: json.dumps(kind.meta, separators=(",", ":"))}

    def _label_outputs(self, answer: Json, known: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._kind.labelled:
            there = answer.get("labels") or {}
            made = known.get(
                "pulumiLabels", {key: value for key, value in there.items() if key != ATTRIBUTION}
            )
            own = known.get("labels") or ({} if "pulumiLabels" in known else made)
            found["labels"] = {key: there[key] for key in own if key in there}
            found["pulumiLabels"] = {key: there[key] for key in made if key in there}
            found["effectiveLabels"] = dict(there)
        if self._kind.annotated:
            there = answer.get("annotations") or {}
            own = known.get("annotations") or ({} if known.get("effectiveAnnotations") else there)
            found["annotations"] = {key: there[key] for key in own if key in there}
            found["effectiveAnnotations"] = dict(there)
        return found


def _foreign(state: Mapping[str, Any], all_: str, ours: str) -> dict[str, Any]:
    """What is on a resource, and was not put there by us."""
    own = comparing.revealed(state.get(ours)) or {}
    there = comparing.revealed(state.get(all_)) or {}
    return {key: value for key, value in there.items() if key not in own}
