"""How the command that a session served ended, and what to type to see more of it."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Ending:
    """``command`` is the user's command line, from ``dagger`` on; empty when it is not known.

    ``exit_code`` is None until it has ended, and when nobody tells.
    """

    command: Sequence[str] = ()
    exit_code: int | None = None

    @property
    def bad(self) -> bool:
        """Whether what failed matters: a pipeline that goes well may have steps that fail on purpose."""
        return self.exit_code != 0

    @property
    def advice(self) -> Iterator[str]:
        """How to run it again: everything before the step that failed is in the cache."""
        if self.command:
            first, *rest = self.command
            again = [word for word in rest if word not in {"-i", "--interactive"}]
            yield ""
            yield f"run it again:  {shlex.join([first, *again])}"
            yield f"look inside:   {shlex.join([first, '-i', *again])}"
