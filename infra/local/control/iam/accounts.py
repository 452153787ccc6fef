"""iam.v1.projects.serviceAccounts: service accounts of projects, and the keys that nobody gets."""

import hashlib
import re
import secrets

from infra.local.api.discovery import Request
from infra.local.api.errors import ApiError, exists, invalid, not_found
from infra.local.control.documents import Documents, Json, check_mask, merged
from infra.local.control.iam.json import JsonPolicies
from infra.local.control.names import project_number
from infra.local.control.projects.registry import Projects
from infra.local.state import Store

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_KIND = "service-account"
_DOMAIN = "iam.gserviceaccount.com"
_DEFAULT = "-compute@developer.gserviceaccount.com"
_LONGEST = {"displayName": 100, "description": 256}  # bytes
_CONSTRAINT = "constraints/iam.disableServiceAccount"


def disabled(store: Store, email: str) -> bool:
    """Whether an account was disabled. One that nobody created is not."""
    project = email.partition("@")[2].removesuffix(f".{_DOMAIN}")
    account = Documents(store, _KIND).get(f"projects/{project}/serviceAccounts/{email}")
    return account is not None and bool(account.get("disabled"))


class ServiceAccounts(JsonPolicies):
    """Service accounts. The default one of Cloud Run is in each project from the start."""

    def __init__(self, store: Store, projects: Projects) -> None:
        super().__init__(store, lambda name: str(self.find(name)["name"]))
        self._accounts = Documents(store, _KIND)
        self._gone = Documents(store, "deleted-service-account")
        self._projects = projects

    def find(self, name: str) -> Json:
        """The account of a full name, by address or unique id, in any project ("-"). Raises ApiError, 404."""
        project, _, end = name.removeprefix("projects/").partition("/serviceAccounts/")
        if project == "-":
            project = self._project_of(end)
        found = None
        if project != "-":
            project = self._projects.id_of(project)
            found = self._accounts.get(f"projects/{project}/serviceAccounts/{end}")
        if found is None and end.isdecimal():
            accounts = self._accounts.all(f"projects/{project}")
            found = next((each for each in accounts if each["uniqueId"] == end), None)
        if found is None and project != "-" and end == f"{project_number(project)}{_DEFAULT}":
            return self._new(project, end, {"displayName": "Default compute service account"})
        if found is None:
            raise not_found(f"Unknown service account: {end[:200]}")
        return found

    async def create(self, request: Request) -> Json:
        """A new account: ID@PROJECT.iam.gserviceaccount.com."""
        project = self._projects.id_of(request.parameters["name"].removeprefix("projects/"))
        account = request.body.get("accountId", "")
        if not 6 <= len(account) <= 30:
            text = f'The account ID "{account[:100]}" does not have a length between 6 and 30.'
            raise invalid(text, [("account_id", text)])
        if not _ID.fullmatch(account):
            text = (
                f'The account ID "{account}" is invalid: lowercase letters, digits and hyphens, '
                "beginning with a letter, not ending with a hyphen."
            )
            raise invalid(text, [("account_id", text)])
        email = f"{account}@{project}.{_DOMAIN}"
        name = f"projects/{project}/serviceAccounts/{email}"
        if self._accounts.get(name) is not None:
            raise exists(f"Service account {account} already exists within project projects/{project}.", name)
        return self._new(project, email, request.body.get("serviceAccount", {}))

    async def get(self, request: Request) -> Json:
        """The account."""
        return self.find(request.parameters["name"])

    async def list(self, request: Request) -> Json:
        """The accounts of a project."""
        project = self._projects.id_of(request.parameters["name"].removeprefix("projects/"))
        return self._accounts.page(f"projects/{project}", request.parameters, "accounts")

    async def patch(self, request: Request) -> Json:
        """Change what the mask names of display name and description."""
        mask = request.body.get("updateMask")
        if not mask:
            raise invalid("update_mask is required.", [("update_mask", "update_mask is required.")])
        check_mask(mask, ("displayName", "description", "etag"))
        return self._change(request.parameters["name"], request.body.get("serviceAccount", {}), mask)

    async def update(self, request: Request) -> Json:
        """Change display name and description."""
        return self._change(request.parameters["name"], request.body, None)

    async def delete(self, request: Request) -> None:
        """Delete an account; its policy goes with it."""
        account = self.find(request.parameters["name"])
        self.forget(account["name"])
        self._accounts.remove(account["name"])
        self._gone.put(f"uniqueIds/{account['uniqueId']}", account)

    async def undelete(self, request: Request) -> Json:
        """Have a deleted account back, by its unique id."""
        end = request.parameters["name"].rpartition("/")[2]
        account = self._gone.get(f"uniqueIds/{end}")
        if account is None:
            raise not_found(f"Unknown service account: {end[:200]}")
        if self._accounts.get(account["name"]) is not None:
            raise exists(f"Service account {account['email']} already exists.", account["name"])
        self._gone.remove(f"uniqueIds/{end}")
        return {"restoredAccount": self._accounts.put(account["name"], account)}

    async def enable(self, request: Request) -> None:
        """Let an account be used again."""
        account = self.find(request.parameters["name"])
        account.pop("disabled", None)
        self._accounts.put(account["name"], account)

    async def disable(self, request: Request) -> None:
        """Let an account no longer be used."""
        account = self.find(request.parameters["name"])
        self._accounts.put(account["name"], {**account, "disabled": True})

    def _change(self, name: str, given: Json, mask: str | None) -> Json:
        current = self.find(name)
        _check(given)
        if given.get("etag") and given["etag"] != current["etag"]:
            raise ApiError("ABORTED", "There were concurrent changes to the service account: read it again.")
        fixed = ("name", "projectId", "uniqueId", "email", "etag", "oauth2ClientId", "disabled")
        changed = merged(current, given, mask, fixed)
        return self._accounts.put(current["name"], {**changed, "etag": _etag()})

    def _new(self, project: str, email: str, given: Json) -> Json:
        _check(given)
        name = f"projects/{project}/serviceAccounts/{email}"
        unique = str(10**20 + secrets.randbelow(10**19))
        account = {
            "name": name,
            "projectId": project,
            "uniqueId": unique,
            "email": email,
            "etag": _etag(),
            "oauth2ClientId": unique,
            **{key: given[key] for key in _LONGEST if given.get(key)},
        }
        return self._accounts.put(name, account)

    def _project_of(self, end: str) -> str:
        """The project of an account that was asked for in any, "-" when its address does not say."""
        host = end.partition("@")[2]
        if host.endswith(f".{_DOMAIN}"):
            return host.removesuffix(f".{_DOMAIN}")
        if end.endswith(_DEFAULT):
            number = end.removesuffix(_DEFAULT)
            return number if self._projects.known(number) else "-"
        return "-"


class Keys:
    """iam.v1.projects.serviceAccounts.keys: refused, as in an organization that lets nobody have them."""

    def __init__(self, accounts: ServiceAccounts) -> None:
        self._accounts = accounts

    async def create(self, request: Request) -> Json:
        """No key is made: what runs here gets tokens, and what runs elsewhere is federated."""
        raise self._refused(request, "KeyCreation", "Key creation is not allowed on this service account.")

    async def upload(self, request: Request) -> Json:
        """No key is taken either."""
        raise self._refused(request, "KeyUpload", "Key upload is not allowed on this service account.")

    async def list(self, request: Request) -> Json:
        """The only key is Google's own, which nobody sees."""
        account = self._accounts.find(request.parameters["name"])
        wanted = request.parameters.get("keyTypes", [])
        if wanted and "SYSTEM_MANAGED" not in wanted:
            return {}
        key = hashlib.sha256(account["uniqueId"].encode()).hexdigest()[:40]
        return {
            "keys": [
                {
                    "name": f"{account['name']}/keys/{key}",
                    "keyAlgorithm": "KEY_ALG_RSA_2048",
                    "keyOrigin": "GOOGLE_PROVIDED",
                    "keyType": "SYSTEM_MANAGED",
                }
            ]
        }

    async def get(self, request: Request) -> Json:
        """There is none to get."""
        self._accounts.find(request.parameters["name"].partition("/keys/")[0])
        raise not_found(f"Service account key {request.parameters['name']} does not exist.")

    def _refused(self, request: Request, what: str, message: str) -> ApiError:
        account = self._accounts.find(request.parameters["name"])
        violation = {"type": f"{_CONSTRAINT}{what}", "subject": account["name"], "description": message}
        detail = {"@type": "type.googleapis.com/google.rpc.PreconditionFailure", "violations": [violation]}
        return ApiError("FAILED_PRECONDITION", message, [detail])


def _check(given: Json) -> None:
    for field, most in _LONGEST.items():
        if len(given.get(field, "").encode()) > most:
            text = f"The {field} has more than {most} bytes."
            raise invalid(text, [(field, text)])


def _etag() -> str:
    return "MDEwMjE5" + secrets.token_hex(4)
