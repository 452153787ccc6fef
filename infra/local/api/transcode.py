"""Between HTTP and messages: path, query and JSON body to a request; a message to JSON.

Rules: google.api.http ("HTTP transcoding") and the JSON form of protocol buffers. What does not fit is told
in the words of Google's front end, with the place in the request.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from infra.local.api.definition import Rpc, protobuf, unwrap
from infra.local.api.errors import ApiError, Violation, invalid

# Parameters of every method, of Google's front end: https://cloud.google.com/apis/docs/system-parameters
SYSTEM_PARAMETERS = frozenset({
    "alt", "access_token", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser",
    "uploadType", "upload_protocol", "userIp", "xgafv",
})  # fmt: skip
_LONGEST_ECHO = 80
_LONGEST_NAME, _LONGEST_TEXT = 300, 1000
_MOST_VIOLATIONS = 100  # that one answer tells


def read_request(rpc: Rpc, path: Mapping[str, str], query: str, body: bytes) -> Any:
    """The request message of a method (of its own class). Raises ApiError, 400."""
    cls = protobuf(rpc.request)
    document: dict[str, Any] = {}
    if rpc.body:
        whole = parse_json(body)
        if rpc.body == "*":
            document = whole
        elif body.strip():
            document[_name(cls.DESCRIPTOR, rpc.body)] = whole
    _bind_query(cls.DESCRIPTOR, document, query, rpc.body)
    for field, value in path.items():
        _bind(cls.DESCRIPTOR, document, field, value)
    message = cls()
    try:
        json_format.ParseDict(document, message)
    except (
        json_format.ParseError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise _complaint(cls.DESCRIPTOR, document, error) from error
    return rpc.request.wrap(message) if hasattr(rpc.request, "wrap") else message


def enums_as_numbers(query: str) -> bool:
    """Whether the client asked for enums as numbers: `$alt=json;enum-encoding=int`."""
    return any(
        key in {"alt", "$alt"} and "enum-encoding=int" in value.replace(" ", "")
        for key, value in parse_qsl(query)
    )


def write_message(message: Any, *, numbers: bool) -> bytes:
    """The JSON of a message, None for an empty one; fields at their defaults are left out, as Google does."""
    if message is None:
        return b"{}"
    text = json_format.MessageToJson(
        unwrap(message), use_integers_for_enums=numbers, indent=None, ensure_ascii=False
    )
    return str(text).encode()


def parse_json(body: bytes) -> dict[str, Any]:
    """The object that a body is, {} for an empty one. Raises ApiError, 400."""
    if not body.strip():
        return {}
    try:
        # A lone surrogate is no text that could be written out again.
        value = json.loads(body.decode(), parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        text = f"Invalid JSON payload received. {_reason(error)}"
        raise invalid(text, [("", text)]) from error
    if not isinstance(value, dict):
        text = "Invalid JSON payload received. Root element must be a message."
        raise invalid(text, [("", text)])
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"Unexpected token.\n{name}")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "Message too deep. Max recursion depth reached."
    return "Unexpected end of string." if "Unterminated" in str(error) else "Unexpected token."


def _bind_query(descriptor: Descriptor, document: dict[str, Any], query: str, body: str) -> None:
    unknown: list[str] = []
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError as error:
        raise invalid("Invalid query parameters.") from error
    for key, value in pairs:
        if key.startswith("$") or key in SYSTEM_PARAMETERS:
            continue
        # What the body may have, the query may not.
        taken = body == "*" or _field(descriptor, key.partition(".")[0]) is _field(descriptor, body)
        if taken or not _bind(descriptor, document, key, value):
            unknown.append(key)
    if unknown:
        found = unknown_parameters(unknown)
        raise invalid("\n".join(text for _, text in found), found)


def unknown_parameters(names: Iterable[str]) -> list[Violation]:
    """The complaints about query parameters that a method does not have."""
    texts = [
        f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
        f"Field '{name}' could not be found in request message."
        for name in names
    ]
    return [("", text) for text in texts]


def _bind(descriptor: Descriptor, document: dict[str, Any], path: str, value: str) -> bool:
    """Put a value at a dotted path; False when there is no such field."""
    at: dict[str, Any] = document
    *parents, last = path.split(".")
    for part in parents:
        field = _field(descriptor, part)
        if field is None or field.message_type is None or field.is_repeated:
            return False
        at.pop(_other_name(field, at), None)
        inner = at.setdefault(field.json_name, {})
        if not isinstance(inner, dict):
            inner = at[field.json_name] = {}
        at, descriptor = inner, field.message_type
    field = _field(descriptor, last)
    if field is None or not _is_text(field):
        return False
    parsed = _scalar(field, value)
    if field.is_repeated:
        at.setdefault(field.json_name, []).append(parsed)
    else:
        at.pop(field.name, None)
        at[field.json_name] = parsed
    return True


def _other_name(field: FieldDescriptor, at: Mapping[str, Any]) -> str:
    # A body may use the proto's own name of a field that the path goes through.
    return field.name if field.name != field.json_name and field.json_name in at else ""


def _is_text(field: FieldDescriptor) -> bool:
    """Whether a field can be written as text: a scalar, or a message that JSON has as a string."""
    kind = field.message_type
    return kind is None or (
        kind.full_name.startswith("google.protobuf.")
        and kind.name not in {"Any", "Struct", "Value", "ListValue"}
    )


def _scalar(field: FieldDescriptor, value: str) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"true": True, "false": False, "1": True, "0": False}.get(value, value)
    return int(value) if field.enum_type and value.isascii() and value.isdigit() else value


def _field(descriptor: Descriptor, name: str) -> FieldDescriptor | None:
    for field in descriptor.fields:
        if name in {field.name, field.json_name}:
            return field
    return None


def _name(descriptor: Descriptor, field: str) -> str:
    return str(descriptor.fields_by_name[field].json_name)


def _complaint(descriptor: Descriptor, document: Mapping[str, Any], error: Exception) -> ApiError:
    """What is wrong, in Google's words; found by a walk that a good request need not pay for."""
    told = itertools.islice(_violations(descriptor, document, ""), _MOST_VIOLATIONS)
    found = [(at[:_LONGEST_NAME], text[:_LONGEST_TEXT]) for at, text in told]
    if not found:
        text = f"Invalid value in the request: {str(error)[:200]}"
        found = [("", text)]
    return invalid("\n".join(text for _, text in found), found)


def _violations(descriptor: Descriptor, value: Any, at: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield _wrong(descriptor.full_name, value, at)
        return
    for key, inner in value.items():
        field = _field(descriptor, key)
        if field is None:
            place = f" at '{at}'" if at else ""
            name = key[:_LONGEST_NAME]
            text = f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
            yield at, text
        elif inner is not None:
            yield from _field_violations(field, inner, f"{at}.{field.name}" if at else str(field.name))


def _field_violations(field: FieldDescriptor, value: Any, at: str) -> Iterator[Violation]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        if isinstance(value, dict):
            each = kind.fields_by_name["value"]
            for key, inner in value.items():
                yield from _field_violations(each, inner, f"{at}[{key}]")
        else:
            yield _wrong("Map", value, at)
        return
    if field.is_repeated and isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _single(field, inner, f"{at}[{index}]")
    elif field.is_repeated:
        yield _wrong(kind.full_name if kind else _type(field), value, at)
    else:
        yield from _single(field, value, at)


def _single(field: FieldDescriptor, value: Any, at: str) -> Iterable[Violation]:
    kind = field.message_type
    if kind is not None and not kind.full_name.startswith("google.protobuf."):
        return _violations(kind, value, at)
    # protobuf's own way from a descriptor to its class.
    holder = field.containing_type._concrete_class()  # noqa: SLF001  # pylint: disable=protected-access
    try:
        json_format.ParseDict({field.json_name: [value] if field.is_repeated else value}, holder)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, OverflowError):
        return [_wrong(kind.full_name if kind else _type(field), value, at)]
    return []


def _type(field: FieldDescriptor) -> str:
    names = {number: name for name, number in vars(FieldDescriptor).items() if name.startswith("TYPE_")}
    return str(field.enum_type.full_name) if field.enum_type else str(names[field.type])


def _wrong(kind: str, value: Any, at: str) -> Violation:
    shown = json.dumps(value)[:_LONGEST_ECHO]
    prefix = kind if kind.startswith("TYPE_") or kind == "Map" else f"type.googleapis.com/{kind}"
    return at, f"Invalid value at '{at}' ({prefix}), {shown}"
