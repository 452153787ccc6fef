"""Logging's query language as a tree.

Grammar: https://cloud.google.com/logging/docs/view/logging-query-language. OR binds more
closely than AND, and there is an AND between two terms that stand side by side.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from infra.local.api.errors import invalid

MAX_LENGTH = 20_000
_DEEPEST = 50
_TOKEN = re.compile(
    r'(?P<space>(?:\s|--[^\n]*)+)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<operator>!=|>=|<=|=~|!~|=|>|<|:)'
    r"|(?P<mark>[(),])|(?P<word>[^\s\"()=<>:!~,]+(?:\"(?:[^\"\\]|\\.)*\"[^\s\"()=<>:!~,]*)*)",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """FIELD OPERATOR VALUE; `field` are the segments of its path, () for any field at all.

    With a `function` it is FIELD OPERATOR FUNCTION(VALUE), which Monitoring's filters have.
    """

    field: tuple[str, ...]
    operator: str
    value: str
    function: str = ""


@dataclass(frozen=True, slots=True)
class Not:
    """What does not hold."""

    term: "Term"


@dataclass(frozen=True, slots=True)
class All:
    """Terms that all hold; none of them for an empty query."""

    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Terms of which one holds."""

    terms: tuple["Term", ...]


Term = Comparison | Not | All | Some


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def parse(text: str) -> Term:
    """The tree of a query. Raises ApiError, 400, that says where it is wrong."""
    if len(text) > MAX_LENGTH:
        raise invalid(f"The filter is longer than {MAX_LENGTH} characters.", [("filter", "too long")])
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut(text))
        self._at = 0
        self._depth = 0

    def whole(self) -> Term:
        """All of the text."""
        if self._peek().kind == "end":
            return All(())
        term = self._all()
        if self._peek().kind != "end":
            self._fail(self._peek())
        return term

    def _cut(self, text: str) -> list[_Token]:
        found, at = [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                self._fail(_Token("unknown", text[at], at))
            if match.lastgroup != "space":
                found.append(_Token(str(match.lastgroup), match[0], at))
            at = match.end()
        return [*found, _Token("end", "", len(text))]

    def _peek(self, more: int = 0) -> _Token:
        return self._tokens[min(self._at + more, len(self._tokens) - 1)]

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _word(self, *words: str) -> bool:
        token = self._peek()
        if token.kind == "word" and token.text in words:
            self._at += 1
            return True
        return False

    def _all(self) -> Term:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise invalid("Unparseable filter: nested too deep.", [("filter", "nested too deep")])
        terms = [self._some()]
        while self._peek().kind != "end" and self._peek().text != ")":
            self._word("AND")
            terms.append(self._some())
        self._depth -= 1
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _some(self) -> Term:
        terms = [self._one()]
        while self._word("OR"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else Some(tuple(terms))

    def _one(self) -> Term:
        negated = False
        while self._word("NOT", "-"):
            negated = not negated
        token = self._peek()
        if token.kind == "mark" and token.text == "(":
            self._at += 1
            term = self._all()
            self._close()
        else:
            if token.kind == "word" and token.text.startswith("-") and len(token.text) > 1:
                self._tokens[self._at] = _Token("word", token.text[1:], token.at + 1)
                negated = not negated
            term = self._comparison()
        return Not(term) if negated else term

    def _comparison(self) -> Term:
        token = self._next()
        if token.kind not in {"word", "string"} or token.text in {"AND", "OR"}:
            self._fail(token)
        following = self._peek()
        if following.kind == "operator":
            self._at += 1
            return self._value(_segments(token), following.text)
        if following.text == "(" and token.kind == "word" and following.at == token.at + len(token.text):
            return self._function(token)
        return Comparison((), ":", _text(token))

    def _function(self, name: _Token) -> Term:
        self._at += 1
        argument = self._next()
        if name.text != "log_id" or argument.kind not in {"word", "string"}:
            text = f"Unparseable filter: the function {name.text[:80]} is not served by the local cloud."
            raise invalid(text, [("filter", text)])
        self._close()
        return Comparison(("log_id",), "=", _text(argument))

    def _value(self, field: tuple[str, ...], operator: str) -> Term:
        """A value, or several in parentheses: FIELD OPERATOR (A OR B)."""
        token = self._next()
        if token.kind == "mark" and token.text == "(":
            term = self._values(field, operator)
            self._close()
            return term
        if token.kind not in {"word", "string"}:
            self._fail(token)
        following = self._peek()
        if following.text == "(" and token.kind == "word" and following.at == token.at + len(token.text):
            self._at += 1
            argument = self._next()
            if argument.kind not in {"word", "string"}:
                self._fail(argument)
            self._close()
            return Comparison(field, operator, _text(argument), token.text)
        return Comparison(field, operator, _text(token))

    def _values(self, field: tuple[str, ...], operator: str) -> Term:
        def some() -> Term:
            terms = [one()]
            while self._word("OR"):
                terms.append(one())
            return terms[0] if len(terms) == 1 else Some(tuple(terms))

        def one() -> Term:
            return Not(self._value(field, operator)) if self._word("NOT") else self._value(field, operator)

        self._depth += 1
        if self._depth > _DEEPEST:
            raise invalid("Unparseable filter: nested too deep.", [("filter", "nested too deep")])
        terms = [some()]
        while self._peek().kind != "end" and self._peek().text != ")":
            self._word("AND")
            terms.append(some())
        self._depth -= 1
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _close(self) -> None:
        token = self._next()
        if token.text != ")" or token.kind != "mark":
            self._fail(token)

    def _fail(self, token: _Token) -> NoReturn:
        line = self._text.count("\n", 0, token.at) + 1
        column = token.at - (self._text.rfind("\n", 0, token.at) + 1) + 1
        shown = token.text[:80] or "end of filter"
        text = f"Unparseable filter: syntax error at line {line}, column {column}, token '{shown}'"
        raise invalid(text, [("filter", text)])


def _segments(token: _Token) -> tuple[str, ...]:
    """The path that a field is: `labels."a.b"` has two segments."""
    found = re.findall(r'"(?:[^"\\]|\\.)*"|[^."]+', token.text)
    return tuple(_unquote(each) if each.startswith('"') else each for each in found)


def _text(token: _Token) -> str:
    return _unquote(token.text) if token.kind == "string" else token.text


def _unquote(text: str) -> str:
    # A backslash that means nothing stays: regular expressions are written with one.
    return re.sub(
        r'\\(["\\ntr])', lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1], flags=re.DOTALL
    )
