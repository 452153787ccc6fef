"""What a container prints, as log entries: https://cloud.google.com/run/docs/logging#container-logs."""

import json
import time
from collections import deque

from infra.local.runtime.contract import Log, LogEntry

_LONGEST = 256 << 10  # bytes: a log entry's limit; a line that is longer becomes several
_SEVERITIES = frozenset(
    ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
)
_TRACE = "logging.googleapis.com/trace"


class Lines:
    """Cuts one stream of a container into lines and logs each; a JSON object is taken apart."""

    def __init__(self, resource: str, stream: str, log: Log) -> None:
        self._resource = resource
        self._stream = stream
        self._log = log
        self._rest = b""

    def __call__(self, chunk: bytes) -> None:
        """Take what was printed."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._entry(line)
        while len(self._rest) > _LONGEST:
            self._entry(self._rest[:_LONGEST])
            self._rest = self._rest[_LONGEST:]

    def end(self) -> None:
        """The stream ended: what has no newline is a line, too."""
        rest, self._rest = self._rest, b""
        if rest:
            self._entry(rest)

    def _entry(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip("\r")
        payload = _structured(text)
        if payload is None:
            self._log(LogEntry(self._resource, self._stream, text, time.time()))
            return
        severity = str(payload.pop("severity", "DEFAULT")).upper()
        trace = str(payload.pop(_TRACE, ""))
        known = severity if severity in _SEVERITIES else "DEFAULT"
        said = str(payload.get("message", ""))
        self._log(LogEntry(self._resource, self._stream, said, time.time(), known, payload, trace))


def _structured(text: str) -> dict[str, object] | None:
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


class Tail:
    """A log that hands on to `log`, and remembers the text of the last `kept` entries."""

    def __init__(self, log: Log, kept: int) -> None:
        self._log = log
        self._lines: deque[str] = deque(maxlen=kept)

    def __call__(self, entry: LogEntry) -> None:
        """Take an entry."""
        self._lines.append(entry.text)
        self._log(entry)

    @property
    def text(self) -> str:
        """What it remembers, a line each."""
        return "\n".join(self._lines)
