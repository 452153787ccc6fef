"""Tar entries byte for byte as Go's archive/tar writes them: what Pulumi's archive hashes are made of."""

from __future__ import annotations

from typing import Final

BLOCK: Final = 512
END: Final = bytes(2 * BLOCK)
"""What a tar file ends in."""

_NAME, _PREFIX = 100, 155
_MODE = 0o600


def entry(name: str, content: bytes) -> bytes:
    """A file of mode 0600, owned by nobody, changed at the epoch; a long name has a header of its own."""
    padded = content + bytes(-len(content) % BLOCK)
    if name.isascii() and len(name) <= _NAME:
        return _header(name, "", len(content)) + padded
    split = _split(name)
    if split is not None:
        prefix, rest = split
        return _header(rest, prefix, len(content)) + padded
    return _extended(name) + _header(_ascii(name), "", len(content)) + padded


def _header(name: str, prefix: str, size: int) -> bytes:
    fields = [
        name.encode()[:_NAME].ljust(_NAME, b"\0"),
        _octal(_MODE, 8),
        _octal(0, 8),
        _octal(0, 8),
        _octal(size, 12),
        _octal(0, 12),
        b" " * 8,
        b"0",
        bytes(_NAME),
        b"ustar\x0000",
        bytes(64),
        _octal(0, 8),
        _octal(0, 8),
        prefix.encode().ljust(_PREFIX, b"\0"),
    ]
    return _summed(fields)


def _extended(name: str) -> bytes:
    """The PAX header that gives the next entry its name."""
    folder, _, file = name.rpartition("/")
    record = _record("path", name)
    title = _ascii("/".join(part for part in (folder, "PaxHeaders.0", file) if part))[:_NAME].rstrip("/")
    fields = [
        title.encode().ljust(_NAME, b"\0"),
        _octal(0, 8),
        _octal(0, 8),
        _octal(0, 8),
        _octal(len(record), 12),
        _octal(0, 12),
        b" " * 8,
        b"x",
        bytes(_NAME),
        b"ustar\x0000",
    ]
    return _summed(fields) + record + bytes(-len(record) % BLOCK)


def _record(key: str, value: str) -> bytes:
    """``LENGTH key=value``, where the length counts its own digits."""
    body = f" {key}={value}\n".encode()
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def _summed(fields: list[bytes]) -> bytes:
    header = b"".join(fields).ljust(BLOCK, b"\0")
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]


def _octal(number: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, number)


def _ascii(text: str) -> str:
    return text.encode("ascii", "ignore").decode()


def _split(name: str) -> tuple[str, str] | None:
    """A long name as prefix and rest, at a slash that leaves both short enough; None if there is none."""
    if not name.isascii():
        return None
    cut = name.rfind("/", 0, min(len(name), _PREFIX + 1))
    rest = name[cut + 1 :]
    return (name[:cut], rest) if cut > 0 and 0 < len(rest) <= _NAME else None
