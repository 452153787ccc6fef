"""Serves http://metadata.google.internal to instances.

https://cloud.google.com/run/docs/container-contract#metadata-server
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from infra.local.runtime.metadata.identity import Identity

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
CERTIFICATES = "/oauth2/v3/certs"

_HTML, _TEXT, _JSON = "text/html; charset=UTF-8", "application/text", "application/json"
_YES = frozenset(("true", "1"))

Tree = dict[str, "Tree | str"]


@dataclass(frozen=True, slots=True)
class Self:
    """What an instance may know of itself."""

    project: str
    number: str
    region: str
    instance: str
    account: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: HTTPStatus
    kind: str
    body: bytes
    fields: tuple[tuple[str, str], ...] = field(default=())


class Metadata:
    """Answers for one instance."""

    def __init__(self, who: Self, identity: Identity) -> None:
        self._who = who
        self._identity = identity

    def answer(self, method: str, url: str, headers: dict[str, str]) -> Answer:
        """What it says to a request; names of `headers` are lower case.

        Raises ValueError for a URL that is none.
        """
        parts = urlsplit(url)
        path, query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        if path == CERTIFICATES:
            return _json(self._identity.jwks())
        if path == "/" and "x-forwarded-for" not in headers:
            return _text("computeMetadata/\n")
        refused = _refusal(method, path, headers)
        if refused is not None:
            return refused
        match path.split("/"):
            case ["", "computeMetadata", "v1", *names] if names:
                return self._value(names, path, {name: values[-1] for name, values in query.items()})
            case ["", "computeMetadata", ""]:
                return _text("v1/\n")
        return _page(HTTPStatus.NOT_FOUND, path)

    def _value(self, names: list[str], path: str, query: dict[str, str]) -> Answer:
        match names:
            case ["instance", "service-accounts", name, "token"] if self._is(name):
                token, seconds = self._identity.access_token(self._who.account)
                return _json({"access_token": token, "expires_in": seconds, "token_type": "Bearer"})
            case ["instance", "service-accounts", name, "identity"] if self._is(name):
                if not query.get("audience"):
                    return Answer(HTTPStatus.BAD_REQUEST, _HTML, b"non-empty audience parameter required\n")
                return _text(self._identity.id_token(self._who.account, query["audience"]), _HTML)
        return self._plain(names, path, query)

    def _plain(self, names: list[str], path: str, query: dict[str, str]) -> Answer:
        found: Tree | str | None = self._tree()
        recursive = query.get("recursive", "").lower() in _YES
        for name in names[:-1] if names and not names[-1] else names:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None or (isinstance(found, str) and path.endswith("/")):
            return _page(HTTPStatus.NOT_FOUND, path)
        as_json = query.get("alt", "json" if recursive and isinstance(found, dict) else "text") == "json"
        if isinstance(found, str):
            return _json(_camel(found)) if as_json else _text(found)
        if not path.endswith("/"):
            # Relative, so that it holds by whatever name the server was asked.
            moved = (("Location", f"{path}/"),)
            return (
                Answer(HTTPStatus.MOVED_PERMANENTLY, _HTML, b"", moved)
                if not recursive
                else _json(_camel(found))
            )
        if recursive:
            return _json(_camel(found)) if as_json else _text("".join(_rows(found)))
        listed = sorted(f"{name}/" if isinstance(value, dict) else name for name, value in found.items())
        return _json(listed) if as_json else _text("".join(f"{name}\n" for name in listed))

    def _is(self, name: str) -> bool:
        return name in {"default", self._who.account}

    def _tree(self) -> Tree:
        who = self._who
        account: Tree = {"aliases": "default", "email": who.account, "scopes": "\n".join(SCOPES)}
        return {
            "instance": {
                "id": who.instance,
                "region": f"projects/{who.number}/regions/{who.region}",
                "service-accounts": {"default": account, who.account: account},
                "zone": f"projects/{who.number}/zones/{who.region}-1",
            },
            "project": {"numeric-project-id": who.number, "project-id": who.project},
            "universe": {"universe-domain": "googleapis.com", "universe_domain": "googleapis.com"},
        }


def _text(body: str, kind: str = _TEXT) -> Answer:
    return Answer(HTTPStatus.OK, kind, body.encode())


def _json(value: object) -> Answer:
    return Answer(HTTPStatus.OK, _JSON, json.dumps(value).encode())


def _refusal(method: str, path: str, headers: dict[str, str]) -> Answer | None:
    """Why a request gets no value, if so: what forges one in another's name can't set the header."""
    if "x-forwarded-for" in headers:
        return _page(HTTPStatus.FORBIDDEN, path, "Request came through a proxy.")
    if headers.get("metadata-flavor", "").lower() != "google":
        return _page(HTTPStatus.FORBIDDEN, path, "Missing Metadata-Flavor:Google header.")
    return None if method in {"GET", "HEAD"} else _page(HTTPStatus.METHOD_NOT_ALLOWED, path)


def _page(status: HTTPStatus, path: str, why: str = "") -> Answer:
    """An error as Google's front end words it."""
    shown = path.replace("&", "&amp;").replace("<", "&lt;")
    url = f"<code>{shown}</code>"
    says = {
        HTTPStatus.FORBIDDEN: f"Your client does not have permission to get URL {url} from this server.",
        HTTPStatus.NOT_FOUND: f"The requested URL {url} was not found on this server.",
        HTTPStatus.METHOD_NOT_ALLOWED: "The request method is inappropriate for this URL.",
    }[status]
    title = f"Error {status.value} ({status.phrase})!!1"
    body = (
        f"<!DOCTYPE html>\n<html lang=en>\n<title>{title}</title>\n"
        f"<p><b>{status.value}.</b> <ins>That\u2019s an error.</ins>\n<p>{says} {why} "
        "<ins>That\u2019s all we know.</ins>\n"
    )
    return Answer(status, _HTML, body.encode())


def _rows(tree: Tree, above: str = "") -> list[str]:
    """All values below a directory, a line each."""
    rows = []
    for name, value in sorted(tree.items()):
        if isinstance(value, dict):
            rows += _rows(value, f"{above}{name}/")
        else:
            rows += [f"{above}{name} {line}\n" for line in value.split("\n")]
    return rows


def _camel(value: Tree | str) -> object:
    """Names as the JSON form has them: aliases and scopes are lists there, the project's number is one."""
    if isinstance(value, str):
        return value
    made: dict[str, object] = {}
    for name, inner in value.items():
        first, *rest = name.split("-") if "@" not in name else [name]
        written = "".join((first, *(part.capitalize() for part in rest)))
        if name in {"aliases", "scopes"} and isinstance(inner, str):
            made[written] = inner.split("\n")
        elif name == "numeric-project-id" and isinstance(inner, str) and inner.isdigit():
            made[written] = int(inner)
        else:
            made[written] = _camel(inner)
    return made
