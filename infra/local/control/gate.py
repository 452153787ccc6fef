"""The guard of all APIs, as the control rooms have it: roles from IAM, APIs from Service Usage."""

from typing import Any

from infra.local.api.guard import Gate, Rules, Tokens
from infra.local.control.iam import Access
from infra.local.control.iam.accounts import disabled
from infra.local.control.iam.permissions import permission
from infra.local.control.names import project_number
from infra.local.control.services import ServiceUsage
from infra.local.control.services.usage import TITLES
from infra.local.state import Store


class _Enabled:
    """The tokens of accounts that are not disabled."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def account_of(self, token: str) -> str | None:
        """The account of a token, unless it was disabled since."""
        account = self._tokens.account_of(token)
        return None if account is None or disabled(self._store, account) else account

    def jwks(self) -> dict[str, Any]:
        """The keys of identity tokens."""
        return self._tokens.jwks()


def gate(
    store: Store, tokens: Tokens, usage: ServiceUsage, *, strict: bool = False, quota_per_minute: int = 0
) -> Gate:
    """The guard over a store.

    With `strict` an API is refused until it is enabled, not only where it was disabled;
    `quota_per_minute` is how many requests an API answers for a project in a minute, 0 for any number.
    """
    rules = Rules(
        permission=permission,
        allowed=Access(store).allowed,
        usable=lambda project, service: usage.usable(project, service, strict=strict),
        number=project_number,
        title=lambda service: TITLES.get(service, service),
    )
    return Gate(_Enabled(store, tokens), rules, per_minute=quota_per_minute)
