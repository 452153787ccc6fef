"""``pulumi``: the command line, served by the embedded engine or handed over to the Pulumi CLI."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from infra.engine.commands.line import handover
from infra.engine.commands.line.flags import UsageError
from infra.engine.commands.line.run import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        choice = handover.choose(handover.asked(given))
    except handover.ChoiceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    words = handover.without_own(given)
    if choice.program is not None:  # it may know commands and flags that are unknown here
        print(choice.line, file=sys.stderr, flush=True)
        handover.hand_over(choice.program, words)
    try:
        return run(words, choice)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # who read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
