"""What a stage hands back: Dagger objects to export, facts for the report, and when its steps ran."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagger


class StageFailed(Exception):
    """A stage's own verdict: what it looked at isn't good enough. ``facts`` go into the report."""

    def __init__(self, message: str, facts: Mapping[str, Any]) -> None:
        """Fail with a message for the user and the facts behind it."""
        super().__init__(message)
        self.facts = dict(facts)


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a stage that passed.

    ``ran_at``: when each of its steps ran, in seconds since the epoch. ``artifacts``: path in the output
    folder -> file or directory. ``facts``: JSON values by name.
    """

    ran_at: Sequence[float]
    artifacts: Mapping[str, dagger.File | dagger.Directory] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def cached(self, since: float) -> bool | None:
        """Whether every step's result is older than ``since``, the start of this run; none without steps."""
        return all(at < since for at in self.ran_at) if self.ran_at else None
