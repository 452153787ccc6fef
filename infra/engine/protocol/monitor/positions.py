"""Where in the program a resource was asked for: ``project:///file.py#line,column``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit


class Positions:
    """Positions relative to a project's root."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._files: dict[str, str] = {}

    def of(self, request: Any) -> tuple[str, tuple[str, ...]]:
        """The position and the stack of a request; empty where it tells none, or nonsense."""
        position = self._position(request.sourcePosition) if request.HasField("sourcePosition") else ""
        stack = request.stackTrace.frames if request.HasField("stackTrace") else ()
        return position, tuple(self._position(frame.pc) for frame in stack)

    def _position(self, raw: Any) -> str:
        if raw.uri not in self._files:
            self._files[raw.uri] = self._file(raw.uri)
        file = self._files[raw.uri]
        if not file or raw.line < 0:
            return ""
        column = f",{raw.column}" if raw.column > 0 else ""
        return f"{file}#{raw.line}{column}"

    def _file(self, uri: str) -> str:
        """The file's URI below the project; every resource's stack has the same few."""
        where = urlsplit(uri)
        path = unquote(where.path)
        if where.scheme != "file" or not os.path.isabs(path) or self._root is None:
            return ""
        return f"project:///{quote(os.path.relpath(path, self._root))}"
