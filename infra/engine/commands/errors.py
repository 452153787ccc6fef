"""How a command ends before its end."""

from __future__ import annotations


class ExitError(Exception):
    """Ends the command with ``code``; the text, unless empty, is shown after "error: "."""

    def __init__(self, message: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.code = code
