"""Who may do what: the policies of a resource and of all that it is in, against the roles that they grant."""

from collections.abc import Iterator

from infra.local.control.iam.roles import permits
from infra.local.control.iam.stored import read_policy
from infra.local.state import Store

_EVERYBODY = frozenset({"allUsers", "allAuthenticatedUsers"})


class Access:
    """Answers from the policies in a store.

    A binding with a condition grants nothing: conditions are stored, and not evaluated.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def allowed(self, account: str, permission: str, resource: str) -> bool:
        """Whether a service account (its address) has a permission on a resource (its full name)."""
        members = _EVERYBODY | {f"serviceAccount:{account}"}
        return any(
            not binding.HasField("condition")
            and not members.isdisjoint(binding.members)
            and permits(binding.role, permission)
            for name in _upwards(resource)
            for binding in read_policy(self._store, name).bindings
        )


def _upwards(resource: str) -> Iterator[str]:
    """The resource and all that it is in: names with two segments less, down to the project."""
    parts = resource.split("/")
    while len(parts) >= 2:
        yield "/".join(parts)
        parts = parts[:-2]
