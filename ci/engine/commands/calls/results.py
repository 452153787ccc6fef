"""What a call gave, as it is printed."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from typing import Any

from ci.engine.commands.calls.definitions import Type
from ci.engine.modules.types.kinds import LIST


def unwrapped(answer: Any, path: tuple[str, ...]) -> Any:
    """What is at a path in an answer; a list on the way is the result, with all that is below it."""
    for name in path:
        if not isinstance(answer, dict):
            return answer
        answer = answer[name]
    return answer


def objects(type_: Type, value: Any) -> str:
    """Objects by their types and digests: one a line, those of a list after a hyphen."""
    if value is None:
        return ""
    if type_.kind == LIST and type_.element is not None:
        items = value if isinstance(value, list) else [value]
        return "".join(f"- {objects(type_.element, item)}" for item in items)
    id_ = value["id"] if isinstance(value, dict) else value
    return f"{_type_name(id_) or type_.name}@{_digest(id_)}\n"


def plain(value: Any) -> str:
    """Values as they are: texts without quotes, the items of a list one a line."""
    if isinstance(value, list):
        return "".join(f"{plain(item)}\n" for item in value)
    if isinstance(value, dict):
        return "".join(plain(item) for item in value.values())
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(_number(value))


def as_json(value: Any) -> str:
    """Values as JSON."""
    return json.dumps(_numbers(value), indent=4, ensure_ascii=False) + "\n"


def _number(value: float) -> float:
    """A number without a fraction as one that shows none."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def _numbers(value: Any) -> Any:
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return _number(value) if isinstance(value, float) else value


def _digest(id_: str) -> str:
    return f"sha256:{hashlib.sha256(id_.encode()).hexdigest()}"


def _type_name(id_: str) -> str:
    """The type that an ID says it is of: that of an interface's object is not the interface."""
    try:
        text = base64.urlsafe_b64decode(id_).decode()
    except ValueError:
        return ""
    found = re.match(r"([A-Za-z_]\w*)@", text)
    return found.group(1) if found else ""
