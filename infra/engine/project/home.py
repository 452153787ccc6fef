"""Pulumi's own folder (``~/.pulumi``).

Which backend one is logged in to, and which stack each project has selected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.engine.project.errors import ProjectError


class Home:
    """$PULUMI_HOME, or ``~/.pulumi``; its files are those that the Pulumi CLI reads and writes."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        given = variables.get("PULUMI_HOME")
        self.folder = Path(given) if given else Path("~/.pulumi").expanduser()

    def current_url(self) -> str | None:
        """The backend that one is logged in to."""
        url = self._credentials().get("current")
        return str(url) if url else None

    def log_in(self, url: str) -> None:
        """Make ``url`` the current backend."""
        credentials = self._credentials()
        credentials["current"] = url
        credentials.setdefault("accessTokens", {})[url] = ""
        credentials.setdefault("accounts", {})[url] = {"lastValidatedAt": "0001-01-01T00:00:00Z"}
        self._write("credentials.json", credentials)

    def log_out(self, url: str | None) -> None:
        """Forget the backend ``url``; None for all of them."""
        credentials = self._credentials()
        if url is None:
            credentials = {"current": "", "accessTokens": {}, "accounts": {}}
        for part in ("accessTokens", "accounts"):
            credentials.get(part, {}).pop(url, None)
        if credentials.get("current") == url:
            credentials["current"] = ""
        self._write("credentials.json", credentials)

    def selected(self, project: str, file: Path, url: str) -> str | None:
        """The stack that is selected for the project file ``file``, in full."""
        settings = self._read(self._settings_name(project, file))
        name = settings.get("stacks", {}).get(url) or settings.get("stack")
        return str(name) if name else None

    def select(self, project: str, file: Path, url: str, stack: str | None) -> None:
        """Select a stack, or none."""
        name = self._settings_name(project, file)
        settings = self._read(name)
        stacks: dict[str, str] = settings.get("stacks", {})
        stacks.pop(url, None)
        if stack is not None:
            stacks[url] = stack
        else:
            settings.pop("stack", None)
        settings.pop("stacks", None)
        settings |= {"stacks": dict(sorted(stacks.items()))} if stacks else {}
        if settings:
            self._write(name, settings)
        else:
            (self.folder / name).unlink(missing_ok=True)

    def _credentials(self) -> dict[str, Any]:
        return self._read("credentials.json")

    def _settings_name(self, project: str, file: Path) -> str:
        digest = hashlib.sha1(str(file).encode(), usedforsecurity=False).hexdigest()
        return f"workspaces/{project}-{digest}-workspace.json"

    def _read(self, name: str) -> dict[str, Any]:
        file = self.folder / name
        try:
            value = json.loads(file.read_bytes() or b"{}")
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ProjectError(
                f"{file} is no JSON ({error}): remove it, then log in and select the stack again"
            ) from error
        return value if isinstance(value, dict) else {}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        from infra.engine.state import files, gojson

        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.write(self.folder / name, gojson.dumps(value, indent=4).encode(), durable=False)
