"""URI templates of google.api.http: which fields of a request are in its path.

Syntax: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto ("Path template syntax").
"""

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote

_VARIABLE = re.compile(r"\{(?P<field>[\w.]+)(?:=(?P<pattern>[^}]*))?\}")
_SEGMENTS = {"**": ".+", "*": "[^/]+"}


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; `fields` are the dotted paths of the request's fields, in order.

    `plain` is the template without their names: "/v2/projects/*/locations/*:verb".
    """

    text: str
    fields: tuple[str, ...]
    plain: str
    expression: str

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the fields, decoded, when this is the template of `path`."""
        found = _compiled(self.expression).fullmatch(path)
        if found is None:
            return None
        return {field: unquote(text) for field, text in zip(self.fields, found.groups(), strict=True)}

    @property
    def weight(self) -> tuple[bool, int]:
        """What is tried first: a custom verb before none, more literal text before less."""
        return (":" in self.plain, len(self.plain.replace("*", "")))


def compile_template(text: str) -> Template:
    """Compile "/v2/{name=projects/*/locations/*}:verb"."""
    fields: list[str] = []
    expression, plain, at = "", "", 0
    for variable in _VARIABLE.finditer(text):
        before, pattern = text[at : variable.start()], variable["pattern"] or "*"
        plain += before + pattern
        expression += f"{re.escape(before)}({_expression(pattern)})"
        fields.append(variable["field"])
        at = variable.end()
    return Template(text, tuple(fields), plain + text[at:], expression + re.escape(text[at:]))


@functools.cache
def _compiled(expression: str) -> re.Pattern[str]:
    # When it is first asked for: an API has hundreds of templates, and a program calls a few.
    return re.compile(expression)


def _expression(pattern: str) -> str:
    return "/".join(_SEGMENTS.get(segment) or re.escape(segment) for segment in pattern.split("/"))
