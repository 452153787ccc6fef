"""URI templates of google.api.http: which fields of a request are in its path.

Syntax: https://github.com/googleapis/googleapis/blob/master/google/api/http.proto ("Path template syntax").
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_VARIABLE = re.compile(r"\{(?P<field>[\w.]+)(?:=(?P<pattern>[^}]*))?\}")
_SEGMENTS = {"**": ".+", "*": "[^/]+"}


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; `fields` are the dotted paths of the request's fields, in order."""

    text: str
    fields: tuple[str, ...]
    pattern: re.Pattern[str]

    def match(self, path: str) -> dict[str, str] | None:
        """The values of the fields, decoded, when this is the template of `path`."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return dict(zip(self.fields, map(unquote, found.groups()), strict=True))

    @property
    def weight(self) -> tuple[bool, int]:
        """What is tried first: a custom verb before none, more literal text before less."""
        literal = _VARIABLE.sub(lambda part: (part["pattern"] or "").replace("*", ""), self.text)
        return (":" in self.text.rpartition("}")[2], len(literal))


def compile_template(text: str) -> Template:
    """Compile "/v2/{name=projects/*/locations/*}:verb"."""
    fields: list[str] = []
    expression, at = "", 0
    for variable in _VARIABLE.finditer(text):
        expression += re.escape(text[at : variable.start()])
        expression += f"({_expression(variable['pattern'] or '*')})"
        fields.append(variable["field"])
        at = variable.end()
    return Template(text, tuple(fields), re.compile(expression + re.escape(text[at:])))


def _expression(pattern: str) -> str:
    return "/".join(_SEGMENTS.get(segment) or re.escape(segment) for segment in pattern.split("/"))
