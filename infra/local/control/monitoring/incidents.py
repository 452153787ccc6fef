"""Alert policies evaluated again and again: incidents open, close, and are told of."""

import json
import logging
import time
import urllib.request
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlsplit

import anyio
import anyio.to_thread

from infra.local.api.errors import ApiError
from infra.local.control.documents import Json
from infra.local.control.logging import Logs
from infra.local.control.logging.times import SECOND, rfc3339
from infra.local.control.monitoring.channels import Channels
from infra.local.control.monitoring.conditions import Met, check
from infra.local.control.monitoring.policies import Policies
from infra.local.control.monitoring.sources import Sources

_LOG = logging.getLogger(__name__)
PERIOD = 10.0  # seconds
_REMEMBERED = 1000
_HOSTS = {"localhost", "127.0.0.1", "::1"}
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which an alert policy's conditions were met; `ended` is 0 while they are."""

    id: str
    policy: str
    name: str
    condition: str
    summary: str
    value: float
    started: float
    ended: float = 0.0
    severity: str = ""
    resource: str = ""
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str:
        """The project that it is in."""
        return self.policy.split("/")[1]


class Watch:
    """Evaluates policies while `working` runs; `clock` is in seconds since the epoch."""

    def __init__(
        self,
        policies: Policies,
        channels: Channels,
        sources: Sources,
        logs: Logs,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._policies = policies
        self._channels = channels
        self._sources = sources
        self._logs = logs
        self._clock = clock
        self._open: dict[str, Incident] = {}
        self._closed: deque[Incident] = deque(maxlen=_REMEMBERED)

    def incidents(self, project: str = "") -> Sequence[Incident]:
        """Incidents of one project or of all, the newest first."""
        every = (*self._open.values(), *self._closed)
        found = [each for each in every if project in {"", each.project}]
        return sorted(found, key=lambda each: each.started, reverse=True)

    async def working(self) -> None:
        """Evaluate all policies every ten seconds, for ever."""
        while True:
            await anyio.sleep(PERIOD)
            try:
                await self.evaluate()
            except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # goes on with the next round
                _LOG.exception("alert policies")

    async def evaluate(self) -> None:
        """Evaluate all policies now: open and close incidents, and notify."""
        now, seen = self._clock(), set()
        for policy in self._policies.enabled():
            seen.add(policy["name"])
            met = self._met(policy, now)
            current = self._open.get(policy["name"])
            if met and current is None:
                await self._begin(policy, met[0], now)
            elif current is not None and not met:
                await self._end(policy, current, now)
        for name in set(self._open) - seen:
            self._close(self._open[name], now)

    def _met(self, policy: Json, now: float) -> list[Met]:
        """What meets a policy's conditions, as its combiner has them; [] when they are not met."""
        project = policy["name"].split("/")[1]
        found = []
        for condition in policy["conditions"]:
            try:
                found.append(check(condition, project, self._sources, now))
            except ApiError as error:
                _LOG.warning("%s: %s", condition["name"], error)
                found.append([])
        if policy["combiner"] == "OR":
            return [each for met in found for each in met]
        if not all(found):
            return []
        if policy["combiner"] == "AND_WITH_MATCHING_RESOURCE":
            return [each for each in found[0] if all(_has(met, each) for met in found[1:])]
        return found[0]

    async def _begin(self, policy: Json, met: Met, now: float) -> None:
        incident = Incident(
            uuid.uuid4().hex,
            policy["name"],
            policy["displayName"],
            met.condition["displayName"],
            _summary(met),
            met.value,
            now,
            severity=policy.get("severity", ""),
            resource=met.resource,
            labels=dict(met.resource_labels),
        )
        self._open[policy["name"]] = incident
        self._log(incident, "ViolationOpenEventv1")
        await self._notify(policy, incident)

    async def _end(self, policy: Json, incident: Incident, now: float) -> None:
        await self._notify(policy, self._close(incident, now))

    def _close(self, incident: Incident, now: float) -> Incident:
        del self._open[incident.policy]
        closed = replace(incident, ended=now)
        self._closed.append(closed)
        self._log(closed, "ViolationAutoResolveEventv1")
        return closed

    async def _notify(self, policy: Json, incident: Incident) -> None:
        for name in policy.get("notificationChannels", ()):
            channel = self._channels.find(name)
            if channel is None or not channel.get("enabled", True):
                continue
            address = channel.get("labels", {}).get("url", "")
            if channel["type"].startswith("webhook") and urlsplit(address).hostname in _HOSTS:
                await self._call(address, incident)
            else:
                self._log(
                    incident,
                    "Notification",
                    f"{channel['type']} to {_receiver(channel)} is not sent from here",
                )

    async def _call(self, address: str, incident: Incident) -> None:
        body = json.dumps(_webhook(incident)).encode()
        request = urllib.request.Request(address, body, {"content-type": "application/json"})  # noqa: S310

        def send() -> None:
            with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310  # an address of this machine's
                pass

        try:
            await anyio.to_thread.run_sync(send)
        except (OSError, ValueError) as error:
            self._log(incident, "Notification", f"the webhook {address} failed: {error}")

    def _log(self, incident: Incident, event: str, text: str = "") -> None:
        project = incident.project
        said = text or incident.summary
        labels = {"project_id": project, **incident.labels}
        self._logs.add({
            "logName": f"projects/{project}/logs/{quote(f'monitoring.googleapis.com/{event}', safe='')}",
            "resource": {"type": incident.resource or "global", "labels": labels},
            "timestamp": rfc3339(int(self._clock() * 1_000_000) * (SECOND // 1_000_000)),
            "severity": "NOTICE" if incident.ended else "ERROR",
            "labels": {"policy": incident.policy, "verbose_message": said, "activity_type_name": event},
            "jsonPayload": {"message": f"{incident.name}: {said}", **_webhook(incident)},
        })  # fmt: skip


def _has(met: list[Met], wanted: Met) -> bool:
    return any(dict(each.resource_labels) == dict(wanted.resource_labels) for each in met)


def _summary(met: Met) -> str:
    where = ", ".join(f"{key}={value}" for key, value in sorted(met.resource_labels.items()))
    if "conditionAbsent" in met.condition:
        return f"{met.condition['displayName']}: no data for {where}"
    rule = met.condition["conditionThreshold"]
    side = "above" if rule["comparison"] == "COMPARISON_GT" else "below"
    threshold = float(rule.get("thresholdValue", 0))
    return (
        f"{met.condition['displayName']}: {met.value:g} is {side} the threshold of {threshold:g} for {where}"
    )


def _receiver(channel: Json) -> str:
    return str(
        channel.get("labels", {}).get("email_address") or channel.get("displayName") or channel["name"]
    )


def _webhook(incident: Incident) -> Json:
    """The body of a notification, in the schema of Google's webhooks."""
    return {
        "version": "1.2",
        "incident": {
            "incident_id": incident.id,
            "scoping_project_id": incident.project,
            "policy_name": incident.name,
            "condition_name": incident.condition,
            "summary": incident.summary,
            "observed_value": f"{incident.value:g}",
            "severity": incident.severity or "No severity",
            "state": "closed" if incident.ended else "open",
            "started_at": int(incident.started),
            "ended_at": int(incident.ended) or None,
            "resource": {"type": incident.resource, "labels": incident.labels},
        },
    }
