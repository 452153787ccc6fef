"""Property values to and from protobuf's Struct, as programs and providers exchange them.

Source: sdk/.../plugin/rpc.go.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf import struct_pb2

from infra.engine.values import signatures
from infra.engine.values.kinds import (
    UNKNOWN,
    Archive,
    Asset,
    Output,
    Properties,
    ResourceReference,
    Secret,
    Unknown,
    UnknownKind,
    Value,
)

SENTINELS: dict[str, Unknown] = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9": UNKNOWN,
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7": Unknown("bool"),
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421": Unknown("number"),
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2": Unknown("array"),
    "030794c1-ac77-496b-92df-f27374a8bd58": Unknown("asset"),
    "e48ece36-62e2-4504-bad9-02848725956a": Unknown("archive"),
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff": Unknown("object"),
}
"""The strings that stand for a value not known yet, by the type that it will have."""

UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_BY_KIND: dict[UnknownKind, str] = {unknown.kind: text for text, unknown in SENTINELS.items()}

_INTEGRAL_BELOW = 1e21
"""From here on JSON as Go writes it uses an exponent; a float stays one."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """What the other side understands; what it doesn't is sent as the plain value inside."""

    unknowns: bool = True
    secrets: bool = True
    resources: bool = True
    outputs: bool = False


ALL = Accepts(outputs=True)
PLAIN = Accepts()


def decode(struct: struct_pb2.Struct | None, outputs: bool = False) -> Properties:
    """The properties in ``struct``; ``outputs`` keeps values' dependencies, otherwise they are dropped."""
    if struct is None:
        return {}
    return {key: decode_value(value, outputs) for key, value in sorted(struct.fields.items())}


def decode_value(value: struct_pb2.Value, outputs: bool = False) -> Value:
    """One value. Raises ValueError for a mark that is not known."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = str(value.string_value)
        return SENTINELS.get(text, text)
    if kind == "bool_value":
        return bool(value.bool_value)
    if kind == "number_value":
        number = float(value.number_value)
        return int(number) if number.is_integer() and abs(number) < _INTEGRAL_BELOW else number
    if kind == "list_value":
        return [decode_value(item, outputs) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value, outputs)
    return None


def _decode_object(struct: struct_pb2.Struct, outputs: bool) -> Value:
    if signatures.KEY not in struct.fields:
        return decode(struct, outputs)
    fields = {key: decode_value(item, outputs) for key, item in struct.fields.items()}
    mark = fields[signatures.KEY]
    build = _MARKED.get(mark) if isinstance(mark, str) else None
    if build is None:
        raise ValueError(f"unrecognized signature {mark!r} in property map")
    if build is _output:
        return _output(fields) if outputs else flatten(_output(fields))
    return build(fields)


def _secret(fields: Properties) -> Value:
    if "value" not in fields:
        raise ValueError("malformed RPC secret: missing value")
    return Secret(fields["value"])


def _output(fields: Properties) -> Value:
    dependencies = fields.get("dependencies")
    return Output(
        element=fields.get("value"),
        known="value" in fields,
        secret=fields.get("secret") is True,
        dependencies=tuple(str(urn) for urn in dependencies) if isinstance(dependencies, list) else (),
    )


def _resource(fields: Properties) -> Value:
    return ResourceReference(
        urn=str(fields.get("urn", "")),
        id=fields.get("id"),
        package_version=str(fields.get("packageVersion") or ""),
    )


def _text(fields: Properties, key: str) -> str | None:
    value = fields.get(key)
    return value if isinstance(value, str) else None


def _asset(fields: Properties) -> Value:
    path, uri = _text(fields, "path") or None, _text(fields, "uri") or None
    text = _text(fields, "text")
    if path or uri:
        text = text or None
    return Asset(hash=_text(fields, "hash") or "", text=text, path=path, uri=uri)


def _archive(fields: Properties) -> Value:
    assets = fields.get("assets")
    return Archive(
        hash=_text(fields, "hash") or "",
        assets=cast("dict[str, Asset | Archive]", assets) if isinstance(assets, dict) else None,
        path=_text(fields, "path") or None,
        uri=_text(fields, "uri") or None,
    )


def _bytes(fields: Properties) -> Value:
    return base64.b64decode(str(fields.get("value", ""))).decode("utf-8", "surrogateescape")


_MARKED: dict[str, Callable[[Properties], Value]] = {
    signatures.SECRET: _secret,
    signatures.OUTPUT: _output,
    signatures.RESOURCE: _resource,
    signatures.ASSET: _asset,
    signatures.ARCHIVE: _archive,
    signatures.BYTES: _bytes,
}


def flatten(value: Value) -> Value:
    """``value`` with each Output as its element: unknown if not known, secret if it is one."""
    if isinstance(value, Output):
        inner = flatten(value.element) if value.known else UNKNOWN
        return Secret(inner) if value.secret and not isinstance(inner, Secret) else inner
    if isinstance(value, list):
        return [flatten(item) for item in value]
    if isinstance(value, dict):
        return {key: flatten(item) for key, item in value.items()}
    if isinstance(value, Secret):
        inner = flatten(value.element)
        return inner if isinstance(inner, Secret) else Secret(inner)
    return value


def encode(properties: Properties, accepts: Accepts = PLAIN) -> struct_pb2.Struct:
    """The properties as a Struct, for a side that ``accepts`` this much."""
    struct = struct_pb2.Struct()
    _fill(struct, properties, accepts)
    return struct


def encode_value(value: Value, accepts: Accepts = PLAIN) -> struct_pb2.Value:
    """One value; an unknown for a side that takes none is null."""
    encoded = struct_pb2.Value()
    _put(encoded, None if _left_out(value, accepts) else value, accepts)
    return encoded


def _fill(struct: struct_pb2.Struct, properties: Properties, accepts: Accepts) -> None:
    fields = struct.fields
    for key, value in properties.items():
        if not _left_out(value, accepts):
            _put(fields[key], value, accepts)


def _left_out(value: Value, accepts: Accepts) -> bool:
    return isinstance(value, Unknown) and not accepts.unknowns


def _put(into: struct_pb2.Value, value: Value, accepts: Accepts) -> None:  # noqa: C901, PLR0912 # pylint: disable=too-many-branches # one kind each
    if value is None:
        into.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, str):
        into.string_value = value
    elif isinstance(value, bool):
        into.bool_value = value
    elif isinstance(value, int | float):
        into.number_value = value
    elif isinstance(value, dict):
        into.struct_value.SetInParent()
        _fill(into.struct_value, value, accepts)
    elif isinstance(value, list):
        into.list_value.SetInParent()
        for item in value:
            if not _left_out(item, accepts):
                _put(into.list_value.values.add(), item, accepts)
    elif isinstance(value, Unknown):
        into.string_value = _BY_KIND[value.kind]
    elif isinstance(value, Secret) and not accepts.secrets:
        _put(into, value.element, accepts)
    elif isinstance(value, Output) and not accepts.outputs:
        _put(into, flatten(value), accepts)
    elif isinstance(value, ResourceReference) and not accepts.resources:
        _put(into, value.urn if value.id is None else value.id, accepts)
    else:
        _fill(into.struct_value, marked(value), accepts)


def marked(value: Secret | Output | ResourceReference | Asset | Archive) -> Properties:
    """A marked value as the object that stands for it on the wire and, secrets aside, at rest."""
    if isinstance(value, Secret):
        return {signatures.KEY: signatures.SECRET, "value": value.element}
    if isinstance(value, Output):
        return _sparse(
            signatures.OUTPUT,
            value=value.element if value.known else _ABSENT,
            secret=value.secret or _ABSENT,
            dependencies=list(value.dependencies) or _ABSENT,
        )
    if isinstance(value, ResourceReference):
        return _sparse(
            signatures.RESOURCE,
            urn=value.urn,
            id=_ABSENT if value.id is None else value.id,
            packageVersion=value.package_version or _ABSENT,
        )
    common: dict[str, Any] = {
        "hash": value.hash or _ABSENT,
        "path": value.path or _ABSENT,
        "uri": value.uri or _ABSENT,
    }
    if isinstance(value, Asset):
        return _sparse(signatures.ASSET, text=_ABSENT if value.text is None else value.text, **common)
    return _sparse(signatures.ARCHIVE, assets=_ABSENT if value.assets is None else value.assets, **common)


_ABSENT: Any = object()


def _sparse(mark: str, **entries: Any) -> Properties:
    return {signatures.KEY: mark, **{key: value for key, value in entries.items() if value is not _ABSENT}}
