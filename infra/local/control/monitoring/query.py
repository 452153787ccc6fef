"""Monitoring's filters: which metrics, which labels.

https://cloud.google.com/monitoring/api/v3/filters
"""

import re
from collections.abc import Callable, Iterable

from infra.local.api.errors import ApiError, invalid
from infra.local.control.logging.syntax import All, Comparison, Not, Some, Term, parse
from infra.local.control.monitoring.series import Series

Test = Callable[[Series], bool]
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "": lambda value, wanted: value == wanted,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "has_substring": lambda value, wanted: wanted in value,
    "monitoring.regex.full_match": lambda value, wanted: re.fullmatch(wanted, value) is not None,
}
_ROOTS = {"metric", "resource", "project", "group", "metadata"}


class Filter:
    """A filter; `metric` is the type that all of it is about, "" where it does not say just one.

    Raises ApiError, 400, for one that is wrong.
    """

    def __init__(self, text: str) -> None:
        term = parse(text)
        _check(term)
        self.matches = _test(term)
        self.types = _test_types(term)
        self.metric = next(iter(_types(term)), "")


def _test(term: Term) -> Test:
    match term:
        case Comparison():
            holds = _holds(term)
            return lambda series: holds(_value(series, term.field))
        case Not():
            inner = _test(term.term)
            return lambda series: not inner(series)
        case All():
            tests = [_test(each) for each in term.terms]
            return lambda series: all(test(series) for test in tests)
        case Some():
            choices = [_test(each) for each in term.terms]
            return lambda series: any(test(series) for test in choices)


def _test_types(term: Term) -> Callable[[str], bool]:
    """Whether a filter can hold for any series of a metric type."""
    match term:
        case Comparison(("metric", "type")):
            return _holds(term)
        case All():
            tests = [_test_types(each) for each in term.terms]
            return lambda kind: all(test(kind) for test in tests)
        case Some():
            choices = [_test_types(each) for each in term.terms]
            return lambda kind: any(test(kind) for test in choices)
    return lambda _kind: True


def _types(term: Term) -> Iterable[str]:
    terms = term.terms if isinstance(term, All) else (term,)
    for each in terms:
        exact = isinstance(each, Comparison) and each.operator == "=" and not each.function
        if exact and isinstance(each, Comparison) and each.field == ("metric", "type"):
            yield each.value


def _holds(term: Comparison) -> Callable[[str], bool]:
    if term.operator == ":":
        return lambda value: term.value == "*" or term.value in value
    if term.operator in {"=~", "!~"}:
        return lambda value: (re.search(term.value, value) is not None) == (term.operator == "=~")
    test = _FUNCTIONS[term.function]
    return lambda value: test(value, term.value) == (term.operator == "=")


def _value(series: Series, path: tuple[str, ...]) -> str:
    match path:
        case ("metric", "type"):
            return series.metric
        case ("resource", "type"):
            return series.resource
        case ("metric", "labels" | "label", name):
            return series.labels.get(name, "")
        case ("resource", "labels" | "label", name):
            return series.resource_labels.get(name, "")
        case ("project",):
            return series.resource_labels.get("project_id", "")
    return ""


def label(series: Series, path: str) -> tuple[str, str, str]:
    """Kind ("metric" or "resource"), name and value of the label of a path. Raises ApiError, 400."""
    kind, _, name = path.partition(".")
    labels, _, key = name.partition(".")
    if kind == "project":
        return "resource", "project_id", series.resource_labels.get("project_id", "")
    if kind not in {"metric", "resource"} or labels not in {"labels", "label"} or not key:
        raise bad("aggregation.groupByFields", path, "The field name is unrecognized.")
    return kind, key, _value(series, (kind, "labels", key))


def _check(term: Term) -> None:
    match term:
        case Not():
            _check(term.term)
        case All() | Some():
            for each in term.terms:
                _check(each)
        case Comparison():
            if not term.field or term.field[0] not in _ROOTS:
                raise bad("filter", ".".join(term.field) or term.value, "The field name is unrecognized.")
            if term.operator not in {"=", "!=", ":", "=~", "!~"} or term.function not in _FUNCTIONS:
                raise bad("filter", term.function or term.operator, "The comparison is not supported.")
            if term.operator in {"=~", "!~"} or term.function.endswith("full_match"):
                try:
                    re.compile(term.value)
                except (re.error, OverflowError, RecursionError) as error:
                    raise bad("filter", term.value, f"The regular expression is invalid: {error}.") from error


def bad(field: str, value: str, why: str) -> ApiError:
    """400 in the words of Cloud Monitoring."""
    text = f'Field {field} had an invalid value of "{value[:200]}": {why}'
    return invalid(text, [(field, text)])
