"""binaryauthorization.v1: the policy of a project, and its verdict on an image.

https://cloud.google.com/binary-authorization/docs/reference/rest/v1/Policy
"""

import fnmatch
import re
from typing import Any

from google.cloud import run_v2

from infra.local.api import Api
from infra.local.api.discovery import Request
from infra.local.api.errors import aborted, invalid
from infra.local.control.documents import Documents, Json, new_id
from infra.local.control.names import place_of
from infra.local.control.run.delivery import Denied
from infra.local.state import Store

LIBRARY = ("binaryauthorization", "v1")
_MODES = ("ALWAYS_ALLOW", "ALWAYS_DENY", "REQUIRE_ATTESTATION")
_DRY = "DRYRUN_AUDIT_LOG_ONLY"
_BLOCK = "ENFORCED_BLOCK_AND_AUDIT_LOG"
_NAME = re.compile(r"projects/([^/]+)/policy")


class BinaryAuthorization:
    """The policies of projects over a store. A rule that needs an attestation is refused: none are served."""

    def __init__(self, store: Store) -> None:
        self._policies = Documents(store, "admission")

    def serve(self, api: Api) -> None:
        """Answer the methods on policies."""
        api.serve("binaryauthorization.v1.projects", _Methods(self._policies))

    def __call__(self, image: str, service: run_v2.Service) -> None:
        """Raise Denied when a service wants its project's policy kept, and that refuses the image."""
        wanted = service.binary_authorization
        if not wanted.use_default or wanted.breakglass_justification:
            return
        policy = read(self._policies, place_of(service.name).project)
        patterns = [each["namePattern"] for each in policy.get("admissionWhitelistPatterns", [])]
        rule = policy["defaultAdmissionRule"]
        if any(allows(pattern, image) for pattern in patterns) or rule["evaluationMode"] == "ALWAYS_ALLOW":
            return
        if rule["enforcementMode"] != _DRY:
            raise Denied(
                f"Container image '{image}' is not authorized by policy. Image {image} denied by Binary "
                "Authorization default admission rule. Denied by always_deny admission rule"
            )


class _Methods:
    """Google's methods."""

    def __init__(self, policies: Documents) -> None:
        self._policies = policies

    async def get_policy(self, request: Request) -> Json:
        """The policy of a project; everything is allowed where none was set."""
        return read(self._policies, _project(request))

    async def update_policy(self, request: Request) -> Json:
        """Set the policy of a project."""
        project = _project(request)
        body = dict(request.body)
        if (etag := body.get("etag")) and etag != read(self._policies, project)["etag"]:
            raise aborted("The etag of the request is not that of the policy: read it again.")
        _check(body)
        name = f"projects/{project}/policy"
        return self._policies.put(name, {**body, "name": name, "etag": f'"{new_id()}"'})


def read(policies: Documents, project: str) -> Json:
    """The policy of a project."""
    rule = {"evaluationMode": "ALWAYS_ALLOW", "enforcementMode": _BLOCK}
    name = f"projects/{project}/policy"
    return policies.get(name) or {"name": name, "defaultAdmissionRule": rule, "etag": '"0"'}


def allows(pattern: str, image: str) -> bool:
    """Whether a pattern names an image: `*` is any text without a slash, and `**` at the end any text."""
    if pattern.endswith("**"):
        return image.startswith(pattern.removesuffix("**"))
    # A star of fnmatch's goes over slashes; so it is asked part by part.
    parts, wanted = image.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, each.replace("[", "[[]").replace("?", "[?]"))
        for part, each in zip(parts, wanted, strict=True)
    )


def _project(request: Request) -> str:
    found = _NAME.fullmatch(request.parameters["name"])
    if found is None:
        raise invalid("Invalid policy name: it must be projects/PROJECT/policy.")
    return found[1]


def _check(policy: dict[str, Any]) -> None:
    rule = policy.get("defaultAdmissionRule", {})
    where = "policy.default_admission_rule"
    if rule.get("evaluationMode") not in _MODES:
        text = f"evaluation_mode must be one of {', '.join(_MODES)}."
        raise invalid(text, [(f"{where}.evaluation_mode", text)])
    if rule.get("enforcementMode") not in {_BLOCK, _DRY}:
        text = f"enforcement_mode must be {_BLOCK} or {_DRY}."
        raise invalid(text, [(f"{where}.enforcement_mode", text)])
    if rule["evaluationMode"] == "REQUIRE_ATTESTATION":
        text = "Attestors are not served by the local cloud: allow images by admission_whitelist_patterns."
        raise invalid(text, [(f"{where}.evaluation_mode", text)])
    for index, each in enumerate(policy.get("admissionWhitelistPatterns", [])):
        if not each.get("namePattern"):
            text = "name_pattern must not be empty."
            raise invalid(text, [(f"policy.admission_whitelist_patterns[{index}].name_pattern", text)])
