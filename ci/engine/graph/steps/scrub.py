"""Takes secrets out of a stream of bytes, also when one is split over two writes."""

from __future__ import annotations

from collections.abc import Iterable

MASK = b"***"


class Scrubber:
    """Replaces every secret in a stream by ``***``; holds back a tail that may be the start of one."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        values = {value for secret in secrets for value in _forms(secret)}
        self._secrets = sorted(values, key=len, reverse=True)
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        """What may be shown after ``data`` arrived."""
        if not self._secrets:
            return data
        text = self._masked(self._tail + data)
        held = self._held(text)
        self._tail = text[len(text) - held :] if held else b""
        return text[: len(text) - held]

    def flush(self) -> bytes:
        """What was held back, at the end of the stream."""
        rest, self._tail = self._masked(self._tail), b""
        return rest

    def _masked(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _held(self, text: bytes) -> int:
        longest = 0
        for secret in self._secrets:
            for length in range(min(len(secret) - 1, len(text)), longest, -1):
                if text.endswith(secret[:length]):
                    longest = length
                    break
        return longest


def _forms(secret: bytes) -> Iterable[bytes]:
    """A secret as it is and without surrounding white space; an empty one hides nothing."""
    return (form for form in (secret, secret.strip()) if form)


def scrub(text: str, secrets: Iterable[bytes]) -> str:
    """``text`` without secrets."""
    scrubber = Scrubber(secrets)
    return (scrubber.feed(text.encode()) + scrubber.flush()).decode(errors="replace")
