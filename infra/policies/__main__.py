"""``pulumi preview --json | python -m infra.policies``: the policies over a plan."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from infra.policies.planned import Planned
from infra.policies.rules import violations


def main() -> int:
    """Exit code 0 when the plan keeps all policies, 1 when it breaks one, 2 when it is no plan."""
    try:
        plan = json.load(sys.stdin)
        resources = list(planned(plan))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        print(f"error: standard input is no plan of `pulumi preview --json`: {error}", file=sys.stderr)
        return 2
    found = [violation for resource in resources for violation in violations(resource)]
    for violation in found:
        print(f"error: {violation}", file=sys.stderr)
    print(f"{len(resources)} resources, {len(found)} violations")
    return 1 if found else 0


def planned(plan: dict[str, Any]) -> Iterator[Planned]:
    """The resources of a plan that will be there after it."""
    for step in plan["steps"]:
        state = step.get("newState")
        if state is None:
            continue
        urn: str = state["urn"]
        stack = urn.removeprefix("urn:pulumi:").partition("::")[0]
        yield Planned(stack, state["type"], urn.rpartition("::")[2], state.get("inputs") or {})


if __name__ == "__main__":
    sys.exit(main())
