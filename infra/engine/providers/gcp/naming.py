"""Templates of ids and paths: filled in from properties, and read back out of an id."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from infra.engine.providers.contract import ProviderError

_PLACE = re.compile(r"\{(\w+)\}")


def fill(template: str, properties: Mapping[str, Any], *, quoted: bool = False) -> str:
    """A template filled in, ``quoted`` for a URL. Raises ProviderError for a property that is missing."""

    def value(match: re.Match[str]) -> str:
        found = properties.get(match[1])
        if not isinstance(found, str) or not found:
            raise ProviderError(f"{match[1]} is not set, and {template} needs it")
        return quote(found, safe="/:@") if quoted else found

    return _PLACE.sub(value, template)


def parts(template: str, id: str) -> Mapping[str, str]:
    """The properties in an id, empty when it doesn't have the template's form.

    A place takes what is between two slashes; one named ``secret`` takes slashes too, as the id of a version
    starts with that of its secret.
    """
    seen: set[str] = set()

    def group(match: re.Match[str]) -> str:
        name = match[1]
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>.+)" if name == "secret" else f"(?P<{name}>[^/]+)"

    pattern = _PLACE.sub(group, re.escape(template).replace(r"\{", "{").replace(r"\}", "}"))
    found = re.fullmatch(pattern, id)
    return {} if found is None else found.groupdict()


def last(name: str) -> str:
    """The last part of a resource's name."""
    return name.rpartition("/")[2]
