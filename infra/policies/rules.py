"""The policies. Each takes a planned resource, and yields what is wrong with it, with a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from infra.policies.planned import Planned, Violation
from infra.settings.model import DIGEST_REFERENCE

SERVICE, JOB = "gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/job:Job"
BASIC_ROLES: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
ANYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
PRODUCTION: Final = "production"

Policy = Callable[[Planned], Iterable[str]]


def no_public_invoker_in_production(planned: Planned) -> Iterator[str]:
    """Production is called by principals with a name."""
    if planned.environment != PRODUCTION:
        return
    granted = {planned.at("member"), *_texts(planned.at("members"))}
    for member in sorted(ANYBODY & {member for member in granted if isinstance(member, str)}):
        yield f"{member} may not have {planned.at('role')} here; name who calls in shipway:invokers."
    if planned.type == SERVICE and planned.at("invokerIamDisabled") is True:
        yield "invokerIamDisabled lets anybody in; leave it out."


def image_by_digest(planned: Planned) -> Iterator[str]:
    """What runs is what was tested: a tag can be moved, a digest can't."""
    if planned.type not in {SERVICE, JOB}:
        return
    for container in planned.containers:
        image = container.get("image")
        if isinstance(image, str) and not DIGEST_REFERENCE.fullmatch(image):
            yield f"{image} is not an image by digest; give HOST/PATH@sha256:DIGEST."


def probes_set(planned: Planned) -> Iterator[str]:
    """No traffic before the model is loaded, and a restart when the server hangs."""
    if planned.type != SERVICE:
        return
    for container in planned.containers:
        # A sidecar has no port, and nobody waits for it.
        if "ports" in container or len(list(planned.containers)) == 1:
            for probe in ("startupProbe", "livenessProbe"):
                if not container.get(probe):
                    yield f"the container has no {probe}; set one."


def instances_bounded(planned: Planned) -> Iterator[str]:
    """A flood of requests is refused rather than paid for."""
    if planned.type != SERVICE:
        return
    most = planned.at("template", "scaling", "maxInstanceCount") or planned.at("scaling", "maxInstanceCount")
    if most is None:
        yield "there is no scaling.maxInstanceCount; set one."


def least_privilege(planned: Planned) -> Iterator[str]:
    """Nothing gets a basic role, and what runs has an account of its own."""
    role = planned.at("role")
    if isinstance(role, str) and (role in BASIC_ROLES or role.rpartition(".")[2].lower() == "admin"):
        yield f"{role} is more than any workload needs; grant the roles for what it does."
    if planned.type in {SERVICE, JOB}:
        template = planned.at("template", "template") or planned.at("template") or {}
        account = template.get("serviceAccount")
        if account is None:
            yield "it would run as the project's default account; set serviceAccount."
        elif isinstance(account, str) and account.endswith("-compute@developer.gserviceaccount.com"):
            yield f"{account} is the project's default account; make one for it."


def no_keys(planned: Planned) -> Iterator[str]:
    """Keys are stored and stolen; workloads have accounts, and GitHub has federation."""
    if planned.type == "gcp:serviceaccount/key:Key":
        yield "service account keys are not made here; use Workload Identity Federation."


def production_protected(planned: Planned) -> Iterator[str]:
    """Nobody deletes production's service by mistake."""
    if (
        planned.environment == PRODUCTION
        and planned.type == SERVICE
        and planned.at("deletionProtection") is False
    ):
        yield "deletionProtection is off; set shipway:protection.protect."


POLICIES: Final[dict[str, Policy]] = {
    policy.__name__.replace("_", "-"): policy
    for policy in (
        no_public_invoker_in_production,
        image_by_digest,
        probes_set,
        instances_bounded,
        least_privilege,
        no_keys,
        production_protected,
    )
}


def violations(planned: Planned) -> tuple[Violation, ...]:
    """All that is wrong with a planned resource."""
    return tuple(
        Violation(name, planned, text) for name, policy in POLICIES.items() for text in policy(planned)
    )


def _texts(value: object) -> set[str]:
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()
