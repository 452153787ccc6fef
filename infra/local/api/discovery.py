"""Google's published API definitions, read out of the discovery documents in google-api-python-client.

For the APIs whose own client libraries have no REST transport. Messages are plain JSON objects, checked
against the document's schemas. https://developers.google.com/discovery/v1/reference/apis
"""

import functools
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra.local.api.definition import Binding
from infra.local.api.errors import Violation, invalid
from infra.local.api.schema import Schemas, snake
from infra.local.api.template import Template, compile_template
from infra.local.api.transcode import SYSTEM_PARAMETERS, parse_json, unknown_parameters

Json = dict[str, Any]
_VARIABLE = re.compile(r"\{\+?(\w+)\}")
_MANY_PARAMETERS = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks: `parameters` are those of path and query by name, `body` the message, {} for none.

    Parameters are of their types; those that were not given are not there. A body has the names of the
    document, and nothing that only the server may set.
    """

    parameters: Mapping[str, Any]
    body: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Method(Binding):
    """A method whose messages are JSON objects.

    `service` is the API with its version and the path of its resource ("iam.v1.projects.serviceAccounts");
    `request` and `response` are the names of schemas, "" for none.
    """

    parameters: Mapping[str, Json]
    request: str
    response: str
    schemas: Schemas


@functools.cache
def methods(api: str, version: str) -> tuple[Method, ...]:
    """All methods of an API ("iam", "v1"), read once. Raises LookupError for one that has no document."""
    document = _document(api, version)
    host = urlsplit(document["rootUrl"]).netloc
    schemas = Schemas(document["schemas"])
    return tuple(_methods(document, f"{api}.{version}", host, schemas))


def read_call(method: Method, path: Mapping[str, str], query: str, body: bytes) -> Request:
    """The request of a method. Raises ApiError, 400."""
    parameters, violations = _query(method, query)
    content: Json = {}
    if method.request:
        at = _body_name(method.request)
        content, more = method.schemas.check(method.request, parse_json(body), at)
        violations += more
    if violations:
        raise invalid("\n".join(text for _, text in violations), violations)
    missing = [
        name
        for name, kind in method.parameters.items()
        if kind.get("required") and kind["location"] == "query" and name not in parameters
    ]
    if missing:
        text = f"Required parameter is missing: {missing[0]}"
        raise invalid(text, [(snake(missing[0]), text)])
    return Request({**parameters, **path}, content)


def _query(method: Method, query: str) -> tuple[Json, list[Violation]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MANY_PARAMETERS)
    except ValueError as error:
        raise invalid("Invalid query parameters.") from error
    known = {
        spelling: (name, kind)
        for name, kind in method.parameters.items()
        if kind["location"] == "query"
        for spelling in (name, _snake_path(name))
    }
    parameters: Json = {}
    unknown: list[str] = []
    violations: list[Violation] = []
    for key, text in pairs:
        if key.startswith("$") or key in SYSTEM_PARAMETERS:
            continue
        if key not in known:
            unknown.append(key)
            continue
        name, kind = known[key]
        value, complaint = method.schemas.parse(kind, text, _snake_path(name))
        violations += complaint
        if kind.get("repeated"):
            parameters.setdefault(name, []).append(value)
        else:
            parameters[name] = value
    return parameters, unknown_parameters(unknown) + violations


def _snake_path(name: str) -> str:
    return ".".join(snake(part) for part in name.split("."))


@functools.cache
def _body_name(schema: str) -> str:
    """Where a body is in the request message, which a document does not say: by the name of its type."""
    return "" if schema.endswith("Request") else snake(re.sub(r"^(?:Google.*V\d+(?:[a-z]+\d+)?)", "", schema))


def _document(api: str, version: str) -> Json:
    # The package itself is slow to import, and none of its code is needed.
    found = importlib.util.find_spec("googleapiclient")
    for folder in (found and found.submodule_search_locations) or ():
        file = Path(folder, "discovery_cache", "documents", f"{api}.{version}.json")
        if file.is_file():
            document: Json = json.loads(file.read_bytes())
            return document
    raise LookupError(
        f"google-api-python-client has no discovery document for {api} {version}: install another version"
    )


def _methods(node: Json, service: str, host: str, schemas: Schemas) -> Iterator[Method]:
    for name, method in node.get("methods", {}).items():
        parameters = method.get("parameters", {})
        yield Method(
            service,
            name,
            snake(name),
            method["httpMethod"],
            _template(method["path"], parameters),
            host,
            parameters,
            method.get("request", {}).get("$ref", ""),
            method.get("response", {}).get("$ref", ""),
            schemas,
        )
    for name, resource in node.get("resources", {}).items():
        yield from _methods(resource, f"{service}.{name}", host, schemas)


def _template(path: str, parameters: Mapping[str, Json]) -> Template:
    """The template in google.api.http's syntax: a document has the patterns of variables beside the path."""

    def variable(found: re.Match[str]) -> str:
        pattern = parameters[found[1]].get("pattern", "^[^/]+$")
        return f"{{{found[1]}={pattern.strip('^$').replace('[^/]+', '*').replace('.*', '**')}}}"

    return compile_template(f"/{_VARIABLE.sub(variable, path)}")
