"""Where Google's JSON isn't Pulumi's properties in other letters: what is changed on the way out and in.

An ``Encode`` takes the body that the schema makes, and the properties; a ``Decode`` an answer, and the
properties as they are known so far (inputs, or the state).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

Json = dict[str, Any]
Encode = Callable[[Json, Mapping[str, Any]], Json]
Decode = Callable[[Json, Mapping[str, Any]], Json]

_SENSITIVE: Final[Mapping[str, str]] = {
    "authToken": "auth_token",
    "password": "password",
    "serviceKey": "service_key",
}


def as_it_is(body: Json, _: Mapping[str, Any]) -> Json:
    """Nothing is changed on the way out."""
    return body


def as_it_comes(answer: Json, _: Mapping[str, Any]) -> Json:
    """Nothing is changed on the way in."""
    return answer


def repository_out(body: Json, _: Mapping[str, Any]) -> Json:
    """Clean-up policies are an object by id."""
    policies = body.get("cleanupPolicies")
    return (
        body
        if policies is None
        else body | {"cleanupPolicies": {policy["id"]: policy for policy in policies}}
    )


def repository_in(answer: Json, _: Mapping[str, Any]) -> Json:
    """Clean-up policies are a set, and the name is short."""
    policies = answer.get("cleanupPolicies")
    short = {"name": _last(answer)}
    if policies is None:
        return answer | short
    return answer | short | {"cleanupPolicies": [{"id": key, **policy} for key, policy in policies.items()]}


def account_out(body: Json, properties: Mapping[str, Any]) -> Json:
    """A service account is wrapped, with its id beside it."""
    return {"accountId": properties["accountId"], "serviceAccount": body}


def account_in(answer: Json, known: Mapping[str, Any]) -> Json:
    """The id is the e-mail's first part, and an account that isn't disabled doesn't say so."""
    email = answer["email"]
    local = {"accountId": email.partition("@")[0], "member": f"serviceAccount:{email}"}
    if (same := known.get("createIgnoreAlreadyExists")) is not None:
        local["createIgnoreAlreadyExists"] = same
    return answer | {LOCAL: local | {"disabled": bool(answer.get("disabled", False))}}


def version_out(_: Json, properties: Mapping[str, Any]) -> Json:
    """A secret's version is its payload, in base64."""
    data = str(properties.get("secretData") or "")
    coded = data if properties.get("isSecretDataBase64") else base64.b64encode(data.encode()).decode()
    return {"payload": {"data": coded}}


def version_in(answer: Json, known: Mapping[str, Any]) -> Json:
    """The version's number and secret are in its name; the payload is what it was, as it never changes."""
    secret, _, number = answer["name"].rpartition("/versions/")
    local = {
        "version": number,
        "secret": known.get("secret", secret),
        "enabled": answer.get("state") == "ENABLED",
        "isSecretDataBase64": bool(known.get("isSecretDataBase64")),
    }
    if "secretData" in known:
        local["secretData"] = known["secretData"]
    elif "payload" in answer:
        local["secretData"] = base64.b64decode(answer["payload"]["data"]).decode()
    return answer | {LOCAL: local}


def channel_out(body: Json, properties: Mapping[str, Any]) -> Json:
    """Sensitive labels are labels like others."""
    sensitive = properties.get("sensitiveLabels") or {}
    secret = {_SENSITIVE[name]: value for name, value in sensitive.items() if name in _SENSITIVE and value}
    return body | {"labels": (body.get("labels") or {}) | secret} if secret else body


def channel_in(answer: Json, known: Mapping[str, Any]) -> Json:
    """Sensitive labels come back as asterisks, and are what was sent last."""
    labels = {
        key: value for key, value in (answer.get("labels") or {}).items() if key not in _SENSITIVE.values()
    }
    local = {name: known[name] for name in ("sensitiveLabels", "forceDelete") if name in known}
    return answer | {"labels": labels, LOCAL: local}


def budget_out(body: Json, properties: Mapping[str, Any]) -> Json:
    """A budget of the last period's amount says so by an empty object."""
    amount = dict(body.get("amount") or {})
    if "lastPeriodAmount" in amount:
        if amount.pop("lastPeriodAmount"):
            amount["lastPeriodAmount"] = {}
        return body | {"amount": amount}
    return body | {"amount": amount} if properties.get("amount") is not None else body


def budget_in(answer: Json, _: Mapping[str, Any]) -> Json:
    """The name is short; an empty object stands for the last period's amount."""
    amount = dict(answer.get("amount") or {})
    if "lastPeriodAmount" in amount:
        amount["lastPeriodAmount"] = True
    return answer | {"name": _last(answer), "amount": amount}


LOCAL: Final = " local"
"""The key under which a ``Decode`` hands over what the API doesn't know; no JSON name has a space."""


def _last(answer: Json) -> str:
    name: str = answer["name"]
    return name.rpartition("/")[2]
