"""Writing files so that a kill, or a power cut, leaves the old one or the new one, and nothing in between."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from infra.engine.state import gojson


def write(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put ``content`` at ``path``; ``durable`` returns only once a power cut could not undo it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_blob(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put ``content`` at ``path``, with the ``.attrs`` file that Pulumi's storage library keeps of it."""
    write(path, content, durable=durable)
    attributes = {
        "user.cache_control": "",
        "user.content_disposition": "",
        "user.content_encoding": "",
        "user.content_language": "",
        "user.content_type": "text/plain; charset=utf-8",
        "user.metadata": None,
        "md5": base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode(),
    }
    beside = path.with_name(path.name + ".attrs")
    write(beside, (gojson.dumps(attributes) + "\n").encode(), durable=False)


def remove_blob(path: Path) -> None:
    """Take a blob away, with its attributes; one that is not there is no error."""
    path.unlink(missing_ok=True)
    path.with_name(path.name + ".attrs").unlink(missing_ok=True)


def copy_blob(source: Path, target: Path) -> None:
    """Copy a blob, with its attributes."""
    write_blob(target, source.read_bytes(), durable=False)
