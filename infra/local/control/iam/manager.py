"""IAM and its credentials API put together."""

from infra.local.api import Api
from infra.local.control.documents import Operations
from infra.local.control.iam.accounts import Keys, ServiceAccounts
from infra.local.control.iam.catalog import ProjectRoles, Roles
from infra.local.control.iam.credentials import Credentials, Issuer
from infra.local.control.iam.federation import pools, providers
from infra.local.control.iam.json import JsonPolicies
from infra.local.control.projects.registry import Projects
from infra.local.state import Store

_POOLS = "iam.v1.projects.locations.workloadIdentityPools"


class Iam:
    """IAM over a store; tokens are those of an issuer."""

    def __init__(self, store: Store, issuer: Issuer) -> None:
        self._store = store
        self.accounts = ServiceAccounts(store, Projects(store))
        self._credentials = Credentials(issuer, self.accounts.find)

    def serve(self, api: Api) -> None:
        """Answer the methods of IAM."""
        found = pools(self._store)
        operations = Operations(self._store)
        api.serve("iam.v1.projects.serviceAccounts", self.accounts)
        api.serve("iam.v1.projects.serviceAccounts.keys", Keys(self.accounts))
        api.serve("iam.v1.roles", Roles())
        api.serve("iam.v1.projects.roles", ProjectRoles())
        api.serve(_POOLS, found)
        api.serve(_POOLS, JsonPolicies(self._store, lambda name: str(found.find(name)["name"])))
        api.serve(f"{_POOLS}.providers", providers(self._store, found))
        api.serve(f"{_POOLS}.operations", operations)
        api.serve(f"{_POOLS}.providers.operations", operations)
        api.serve("iamcredentials.v1.projects.serviceAccounts", self._credentials)
