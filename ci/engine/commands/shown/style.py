"""How text is set off on a terminal."""

import os
import sys


def bold(text: str) -> str:
    """In bold, where that can be seen."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def faint(text: str) -> str:
    """Less bright, where that can be seen."""
    return f"\x1b[2m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
