"""``pulumi logs --since``: so long ago, or a time."""

from datetime import UTC, datetime

import pytest

from infra.engine.commands.errors import ExitError
from infra.engine.commands.operations.logs import moment

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour", "minute", "second"),
    [("5s", 11, 59, 55), ("1h30m", 10, 30, 0), ("1.5m", 11, 58, 30), ("2026-01-31T09:10:00Z", 9, 10, 0)],
)
def test_a_duration_counts_back_from_now_and_a_time_is_itself(text, hour, minute, second):
    assert moment(text, NOW) == NOW.replace(hour=hour, minute=minute, second=second)


def test_anything_else_is_told_what_it_may_be():
    with pytest.raises(ExitError, match=r"'yesterday' is neither, such as 5s, 2m, 3h"):
        moment("yesterday", NOW)
