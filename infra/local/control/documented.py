"""What the published definition says of a message's fields in words only: required, output only.

Google annotates these behaviours in its .proto files; the client libraries carry them over as the first words
of each field's documentation.
"""

import functools
import inspect
import re
from typing import Any

_FIELD = re.compile(r"^    (?P<name>\w+) \(.*\):\n        (?P<text>.*)", re.MULTILINE)


@functools.cache
def output_only(message: Any) -> frozenset[str]:
    """Names of the fields that only the server sets."""
    return _beginning(message, "Output only.")


@functools.cache
def required(message: Any) -> frozenset[str]:
    """Names of the fields that a request has to have."""
    return _beginning(message, "Required.")


def _beginning(message: Any, words: str) -> frozenset[str]:
    text = inspect.getdoc(message) or ""
    fields = _FIELD.finditer(text.partition("Attributes:\n")[2])
    return frozenset(field["name"] for field in fields if field["text"].startswith(words))
