"""Google's published API definitions, read out of the installed client libraries.

A generated client has for each service a REST transport that says verb, path and body of every method, and an
abstract transport whose annotations say its request and response. Nothing of that is typed in here again.
"""

import functools
import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType, NoneType
from typing import Any

from infra.local.api.template import Template, compile_template

# Methods that every Google API may mix in come with messages of packages of their own.
_MIXINS = {
    "google.longrunning": "google.longrunning.Operations",
    "google.cloud.location": "google.cloud.location.Locations",
}
_REST_METHOD = re.compile(r"_Base([A-Z]\w*)")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a method of an API is served over HTTP.

    `attribute` is the method's name in Python, `api` the host that Google serves it at.
    """

    service: str
    method: str
    attribute: str
    verb: str
    template: Template
    api: str

    @property
    def full_name(self) -> str:
        """As in "google.cloud.run.v2.Services.CreateService"."""
        return f"{self.service}.{self.method}"


@dataclass(frozen=True, slots=True)
class Rpc(Binding):
    """A method whose messages are protocol buffers.

    `request` and `response` are message classes: of proto-plus, or of protobuf itself for mixed-in methods;
    `response` is None for a method that answers with nothing. `body` names the field that the body is, "*"
    for the whole request, "" for none.
    """

    body: str
    request: type[Any]
    response: type[Any] | None


@functools.cache
def rpcs(library: str) -> tuple[Rpc, ...]:
    """All methods of a client library ("google.cloud.run_v2") that has REST transports, read once."""
    services = importlib.import_module(f"{library}.services")
    found: dict[tuple[str, str], Rpc] = {}
    for info in pkgutil.iter_modules(services.__path__):
        for rpc in _service(f"{library}.services.{info.name}.transports"):
            found.setdefault((rpc.verb, rpc.template.text), rpc)
    return tuple(found.values())


def protobuf(cls: type[Any]) -> type[Any]:
    """The protobuf class of a message class, which may be proto-plus's."""
    return type(cls.pb(cls())) if hasattr(cls, "pb") else cls


def unwrap(message: Any) -> Any:
    """The protobuf message in a message, which may be proto-plus's."""
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def _service(transports: str) -> Iterator[Rpc]:
    rest = importlib.import_module(f"{transports}.rest_base")
    transport = _only_class(rest, "_Base", "RestTransport")
    abstract = transport.__mro__[1]
    package, api = "", abstract.DEFAULT_HOST
    service = abstract.__name__.removesuffix("Transport")
    attributes = {
        name.replace("_", ""): name for name, value in vars(abstract).items() if isinstance(value, property)
    }
    for name, inner in vars(transport).items():
        method = _REST_METHOD.fullmatch(name)
        if method is None:
            continue
        attribute = attributes[method[1].lower()]
        request, response = _messages(abstract, attribute)
        full = protobuf(request).DESCRIPTOR.file.package
        if full.startswith("google.cloud.location") or full == "google.longrunning":
            owner = _MIXINS[full]
        else:
            package = package or _package(abstract)
            owner = f"{package}.{service}"
        # The transport offers this by a static method whose name says that it is internal to the library.
        for option in getattr(inner, "_get_http_options")():  # noqa: B009
            yield Rpc(
                owner,
                method[1],
                attribute,
                option["method"].upper(),
                compile_template(option["uri"]),
                api,
                option.get("body", ""),
                request,
                response,
            )


def _package(abstract: type[Any]) -> str:
    """The protobuf package of a service: that of most of its own requests."""
    for name, value in vars(abstract).items():
        if isinstance(value, property) and not name.startswith("_"):
            try:
                request, _ = _messages(abstract, name)
            except (KeyError, ValueError, TypeError):
                continue
            package = str(protobuf(request).DESCRIPTOR.file.package)
            if not package.startswith(
                ("google.iam.v1", "google.longrunning", "google.cloud.location", "google.protobuf")
            ):
                return package
    raise LookupError(
        f"{abstract.__name__} has no method with messages of its own: install another version of it"
    )


def _messages(abstract: type[Any], attribute: str) -> tuple[type[Any], type[Any] | None]:
    hint = typing.get_type_hints(getattr(abstract, attribute).fget)["return"]
    (request,), answer = typing.get_args(hint)
    response = (typing.get_args(answer) or (answer,))[0]
    if response is NoneType or protobuf(response).DESCRIPTOR.full_name == "google.protobuf.Empty":
        return request, None
    return request, response


def _only_class(module: ModuleType, prefix: str, suffix: str) -> Any:
    found = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and name.startswith(prefix) and name.endswith(suffix)
    ]
    return found[0]
