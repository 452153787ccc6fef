"""A query over log entries: whether one matches, and what of it a store can look up.

https://cloud.google.com/logging/docs/view/logging-query-language#comparisons: case counts in regular
expressions alone, and a comparison of a field that is not there does not hold.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from infra.local.api.errors import invalid
from infra.local.control.logging.severity import rank
from infra.local.control.logging.syntax import All, Comparison, Not, Some, Term, parse
from infra.local.control.logging.times import nanoseconds

Entry = Mapping[str, Any]
Test = Callable[[Entry], bool]
#: The fields of a LogEntry, by both of their spellings.
FIELDS = frozenset({
    "errorGroups", "httpRequest", "insertId", "jsonPayload", "labels", "logName", "log_id", "metadata",
    "operation", "protoPayload", "receiveTimestamp", "resource", "severity", "sourceLocation", "spanId",
    "split", "textPayload", "timestamp", "trace", "traceSampled",
})  # fmt: skip
_TIMES = {"timestamp", "receiveTimestamp"}
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_DURATION = re.compile(r"(-?\d{1,12}(?:\.\d{1,9})?)s")
_LAST = 1 << 62


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every match has: a time from `start` to `end` (ns, inclusive), a severity, perhaps a log."""

    start: int = 0
    end: int = _LAST
    severity: int = 0
    log: str = ""


class Query:
    """A query; an empty one matches everything. Raises ApiError, 400, for one that is wrong."""

    def __init__(self, text: str) -> None:
        term = parse(text)
        self.matches = _test(term)
        self.bounds = _bounds(term)


def _test(term: Term) -> Test:
    match term:
        case Comparison():
            return _comparison(term)
        case Not():
            inner = _test(term.term)
            return lambda entry: not inner(entry)
        case All():
            tests = [_test(each) for each in term.terms]
            return lambda entry: all(test(entry) for test in tests)
        case Some():
            choices = [_test(each) for each in term.terms]
            return lambda entry: any(test(entry) for test in choices)


def _comparison(term: Comparison) -> Test:
    if term.function:
        text = f"Unparseable filter: the function {term.function[:80]} is not served by the local cloud."
        raise invalid(text, [("filter", text)])
    if not term.field:
        wanted = term.value.casefold()
        return lambda entry: any(wanted in leaf.casefold() for leaf in _texts(entry))
    first = _camel(term.field[0])
    if first not in FIELDS:
        text = f"Field not found: '{term.field[0][:80]}'."
        raise invalid(text, [("filter", text)])
    path = (first, *term.field[1:])
    holds = _scalar_test(first if len(path) == 1 else "", term.operator, term.value)
    if path == ("log_id",):
        return lambda entry: holds(unquote(str(entry.get("logName", "")).rpartition("/logs/")[2]))
    if path == ("severity",):
        return lambda entry: holds(entry.get("severity", "DEFAULT"))
    return lambda entry: any(holds(value) for value in values(entry, path))


def _scalar_test(field: str, sign: str, text: str) -> Callable[[Any], bool]:
    """Whether a field's value compares so; `field` is the name of one of the entry's own, else ""."""
    if sign in {"=~", "!~"}:
        pattern = _regex(text)
        return lambda value: (pattern.search(_shown(value)) is not None) == (sign == "=~")
    if field == "severity" and sign != ":":
        return _ranked(sign, text)
    if field in _TIMES and sign != ":":
        return _timed(sign, text)
    folded = text.casefold()
    if sign == ":":
        return lambda value: text == "*" or folded in _shown(value).casefold()
    return _compared(sign, text)


def _compared(sign: str, text: str) -> Callable[[Any], bool]:
    number, folded = _number(text), text.casefold()
    compare = _ORDER.get(sign)
    if compare is None:
        return lambda value: _equal(value, folded, number) == (sign == "=")

    def ordered(value: Any) -> bool:
        own = _number(value)
        if number is not None and own is not None:
            return bool(compare(own, number))
        return bool(compare(_shown(value).casefold(), folded))

    return ordered


def _ranked(sign: str, text: str) -> Callable[[Any], bool]:
    wanted = rank(text)
    if wanted is None:
        raise invalid(f"Invalid severity in filter: {text[:80]!r}.", [("filter", "Unknown severity.")])
    compare = {**_ORDER, "=": operator.eq, "!=": operator.ne}[sign]
    return lambda value: bool(compare(rank(str(value)) or 0, wanted))


def _timed(sign: str, text: str) -> Callable[[Any], bool]:
    wanted = nanoseconds(text)
    if wanted is None:
        raise invalid(f"Invalid timestamp in filter: {text[:80]!r}.", [("filter", "Invalid timestamp.")])
    compare = {**_ORDER, "=": operator.eq, "!=": operator.ne}[sign]
    return lambda value: bool(compare(nanoseconds(str(value)) or 0, wanted))


def _bounds(term: Term) -> Bounds:
    """What of a query holds for all that matches: its comparisons that are not in an OR or a NOT."""
    start, end, least, log = 0, _LAST, 0, ""
    for each in term.terms if isinstance(term, All) else (term,):
        if not isinstance(each, Comparison) or len(each.field) != 1:
            continue
        field, sign = _camel(each.field[0]), each.operator
        if field == "timestamp" and sign not in {":", "!="}:
            time = nanoseconds(each.value) or 0
            start = max(start, time) if sign in {"=", ">", ">="} else start
            end = min(end, time) if sign in {"=", "<", "<="} else end
        elif field == "severity" and sign in {">", ">=", "="}:
            least = max(least, rank(each.value) or 0)
        elif field == "logName" and sign == "=":
            log = each.value
    return Bounds(start, end, least, log)


def values(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What an entry has at a path: several where lists are on the way, none where nothing is."""
    if isinstance(value, list):
        for each in value:
            yield from values(each, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping):
        for length in range(1, len(path) + 1):
            # A key may have dots in it, and need not be quoted.
            key = ".".join(path[:length])
            found = value.get(key, value.get(_camel(key)) if length == 1 else None)
            if found is not None:
                yield from values(found, path[length:])
                return


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif value is not None:
        yield _shown(value)


def _equal(value: Any, folded: str, number: float | None) -> bool:
    own = _number(value) if number is not None else None
    if own is not None and number is not None:
        return own == number
    return _shown(value).casefold() == folded


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return " ".join(_texts(value))
    return str(value)


def _number(value: Any) -> float | None:
    """The number that a value is, or writes; a duration is one of seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        duration = _DURATION.fullmatch(value)
        value = duration[1] if duration else value
        if not value or value[0] not in "0123456789.-+":
            return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        complaint = f"Unparseable filter: regular expression {text[:80]!r} is invalid: {error}"
        raise invalid(complaint, [("filter", complaint)]) from error


def _camel(name: str) -> str:
    if name == "log_id":
        return name
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
