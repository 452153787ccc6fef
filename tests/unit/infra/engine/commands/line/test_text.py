"""Times, tables and JSON as the Pulumi CLI prints them."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.engine.commands.line.text import age, milliseconds, parse_time, table

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86400 * 8, "1 week ago"),
        (86400 * 400, "1 year ago"),
    ],
)
def test_ages_are_those_of_go_humanize(seconds, words):
    assert age(NOW - timedelta(seconds=seconds), NOW) == words


def test_a_time_of_any_precision_is_read():
    assert milliseconds(parse_time("2026-11-24T12:28:24.833331564Z")) == "2026-11-24T12:28:24.833Z"
    assert milliseconds(parse_time("2026-11-24T13:28:24+01:00")) == "2026-11-24T12:28:24.000Z"
    assert parse_time("") is None


def test_the_last_column_is_not_padded():
    assert table(("KEY", "VALUE"), [("long name", "x")]) == "KEY        VALUE\nlong name  x"
