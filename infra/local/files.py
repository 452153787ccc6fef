"""Writing a small file so that whoever reads it, also after a kill, finds the old one or the new one."""

import os
import tempfile
from pathlib import Path


def put(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Put `content` at `path`; with `durable` it is on the disk when this returns. Raises OSError."""
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as fresh:
        fresh.write(content)
        os.fchmod(fresh.fileno(), mode)
        if durable:
            fresh.flush()
            os.fsync(fresh.fileno())
    Path(fresh.name).replace(path)
