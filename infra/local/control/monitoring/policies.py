"""monitoring.v3: alert policies, checked as far as they are evaluated here, and stored."""

import uuid
from collections.abc import Iterator

from infra.local.api.discovery import Request
from infra.local.api.errors import not_found
from infra.local.control.documents import Documents, Json, check_mask, merged, page_of, timestamp
from infra.local.control.monitoring.aggregate import read
from infra.local.control.monitoring.names import project_of
from infra.local.control.monitoring.query import Filter, bad
from infra.local.state import Store

EVALUATED = ("conditionThreshold", "conditionAbsent")
_KINDS = (
    *EVALUATED, "conditionMatchedLog", "conditionMonitoringQueryLanguage", "conditionPrometheusQueryLanguage",
    "conditionSql",
)  # fmt: skip
_COMBINERS = {"AND", "OR", "AND_WITH_MATCHING_RESOURCE"}
_COMPARISONS = {"COMPARISON_GT", "COMPARISON_LT"}
_FIELDS = (
    "alertStrategy", "combiner", "conditions", "creationRecord", "displayName", "documentation", "enabled",
    "mutationRecord", "name", "notificationChannels", "severity", "userLabels", "validity",
)  # fmt: skip
_MAX_CONDITIONS, _MAX_CHANNELS, _LONGEST_NAME = 6, 16, 512
_UNIMPLEMENTED = 12


class Policies:
    """The methods on alert policies."""

    def __init__(self, store: Store) -> None:
        self._documents = Documents(store, "alert-policy")
        self._channels = Documents(store, "notification-channel")
        self._store = store

    async def create(self, request: Request) -> Json:
        """A new policy."""
        project = project_of(request.parameters["name"])
        name = f"projects/{project}/alertPolicies/{uuid.uuid4().int % 10**19}"
        return self._save(name, request.body, _record())

    async def get(self, request: Request) -> Json:
        """The policy."""
        return self._find(request.parameters["name"])

    async def list(self, request: Request) -> Json:
        """The policies of a project, in the order of their names or of when they were made."""
        project, parameters = project_of(request.parameters["name"]), request.parameters
        if parameters.get("filter"):
            raise bad("filter", parameters["filter"], "Filters of policies are not served here.")
        found = list(self._documents.all(f"projects/{project}"))
        order = parameters.get("orderBy", "")
        if order.removeprefix("-") in {"display_name", "displayName"}:
            found.sort(key=lambda policy: str(policy["displayName"]), reverse=order.startswith("-"))
        elif order:
            raise bad("order_by", order, "The local cloud orders policies by display_name alone.")
        answer = page_of(found, parameters, "alertPolicies")
        answer["totalSize"] = len(found)
        return answer

    async def patch(self, request: Request) -> Json:
        """Change a policy."""
        current, mask = self._find(request.parameters["name"]), request.parameters.get("updateMask")
        check_mask(mask, _FIELDS)
        changed = merged(
            current, request.body, mask, ("name", "creationRecord", "mutationRecord", "validity")
        )
        return self._save(current["name"], changed, current["creationRecord"])

    async def delete(self, request: Request) -> None:
        """Forget a policy; its incidents close."""
        self._documents.remove(self._find(request.parameters["name"])["name"])

    def enabled(self) -> Iterator[Json]:
        """All policies of all projects that are to be evaluated."""
        return (policy for policy in self._documents.all("projects/-") if policy.get("enabled", True))

    def _find(self, name: str) -> Json:
        project_of(name)
        found = self._documents.get(name)
        if found is None:
            raise not_found(f"Could not find alert policy {name}.")
        return found

    def _save(self, name: str, given: Json, created: Json) -> Json:
        _check(given)
        for channel in given.get("notificationChannels", ()):
            if self._channels.get(channel) is None:
                where = "alert_policy.notification_channels"
                raise bad(where, channel, "The notification channel does not exist.")
        conditions = []
        for number, condition in enumerate(given["conditions"]):
            kept = condition.get("name", "")
            own = kept if kept.startswith(f"{name}/conditions/") else f"{name}/conditions/{_id(number)}"
            conditions.append({**condition, "name": own})
        made = {**given, "name": name, "conditions": conditions, "creationRecord": created}
        made.setdefault("enabled", True)
        made["mutationRecord"] = _record()
        made.pop("validity", None)
        strange = [
            kind for condition in conditions for kind in _KINDS if kind in condition and kind not in EVALUATED
        ]
        if strange:
            text = f"A {strange[0]} is stored, and not evaluated by the local cloud."
            made["validity"] = {"code": _UNIMPLEMENTED, "message": text}
        return self._documents.put(name, made)


def _check(policy: Json) -> None:
    name = policy.get("displayName", "")
    if not name or len(name) > _LONGEST_NAME:
        raise bad("alert_policy.display_name", name, "It must have 1 to 512 characters.")
    if policy.get("combiner") not in _COMBINERS:
        why = f"It must be one of {', '.join(sorted(_COMBINERS))}."
        raise bad("alert_policy.combiner", str(policy.get("combiner", "")), why)
    conditions = policy.get("conditions", [])
    if not 1 <= len(conditions) <= _MAX_CONDITIONS:
        why = f"A policy must have 1 to {_MAX_CONDITIONS} conditions."
        raise bad("alert_policy.conditions", str(len(conditions)), why)
    if len(policy.get("notificationChannels", [])) > _MAX_CHANNELS:
        raise bad("alert_policy.notification_channels", "", f"At most {_MAX_CHANNELS} channels are allowed.")
    for index, condition in enumerate(conditions):
        _check_condition(condition, f"alert_policy.conditions[{index}]")


def _check_condition(condition: Json, where: str) -> None:
    kinds = [kind for kind in _KINDS if kind in condition]
    if len(kinds) != 1:
        raise bad(where, ", ".join(kinds), "A condition must have exactly one type.")
    if not condition.get("displayName"):
        raise bad(f"{where}.display_name", "", "It must be specified.")
    kind = kinds[0]
    if kind not in EVALUATED:
        return
    rule, where = condition[kind], f"{where}.{kind}"
    wanted = Filter(rule.get("filter", ""))
    if not wanted.metric:
        why = 'The filter must have a metric.type="..." and a resource.type="...".'
        raise bad(f"{where}.filter", rule.get("filter", ""), why)
    for name in ("aggregations", "denominatorAggregations"):
        for index, each in enumerate(rule.get(name, ())):
            read(each, f"{where}.{name}[{index}]")
    if len(rule.get("aggregations", ())) > 2:
        raise bad(f"{where}.aggregations", "", "At most 2 aggregations are allowed.")
    if "denominatorFilter" in rule:
        Filter(rule["denominatorFilter"])
    _check_duration(rule, kind, where)
    if kind == "conditionThreshold" and rule.get("comparison") not in _COMPARISONS:
        why = "It must be COMPARISON_GT or COMPARISON_LT."
        raise bad(f"{where}.comparison", str(rule.get("comparison", "")), why)
    if isinstance(rule.get("thresholdValue", 0), str):
        raise bad(f"{where}.threshold_value", rule["thresholdValue"], "It must be a finite number.")


def _check_duration(rule: Json, kind: str, where: str) -> None:
    seconds = float(rule.get("duration", "0s").removesuffix("s"))
    if seconds % 60 or not 0 <= seconds <= 23.5 * 3600:
        why = "It must be a multiple of 60 seconds, and at most 23 hours and 30 minutes."
        raise bad(f"{where}.duration", rule["duration"], why)
    if kind == "conditionAbsent" and seconds < 120:
        raise bad(f"{where}.duration", str(rule.get("duration", "")), "It must be at least 2 minutes.")
    trigger = rule.get("trigger", {})
    if "count" in trigger and "percent" in trigger:
        raise bad(f"{where}.trigger", "", "It must have either a count or a percentage.")


def _record() -> Json:
    return {"mutateTime": timestamp(), "mutatedBy": "local-user"}


def _id(number: int) -> str:
    return str((uuid.uuid4().int + number) % 10**19)
