"""A template of a project: a folder whose files are copied, with the project's name and description put in.

Of its Pulumi.yaml, ``template:`` tells the configuration that is asked for, and is not copied
(workspace.ProjectTemplate).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.engine.project.errors import ProjectError

_NOT_COPIED = frozenset({".git", ".pulumi.template.yaml", "node_modules", "venv", ".venv", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of the stack's configuration that a template asks for."""

    description: str = ""
    default: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A template in ``folder``; ``settings`` by their keys."""

    folder: Path
    name: str
    description: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    runtime: str = ""

    def collisions(self, target: Path) -> list[str]:
        """The template's files that are in ``target`` already."""
        return [str(file) for file in self._files() if (target / file).exists()]

    def copy(self, target: Path, name: str, description: str) -> None:
        """Write the project ``name`` into ``target``."""
        for file in self._files():
            source, place = self.folder / file, target / file
            place.parent.mkdir(parents=True, exist_ok=True)
            raw = _without_template(source) if file.name == "Pulumi.yaml" else source.read_bytes()
            place.write_bytes(_filled(raw, name, description))
            shutil.copymode(source, place)

    def _files(self) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*")):
            file = path.relative_to(self.folder)
            if path.is_file() and not _NOT_COPIED.intersection(file.parts):
                yield file


def load(folder: Path) -> Template:
    """The template in ``folder``. Raises ProjectError if there is none."""
    import yaml

    file = folder / "Pulumi.yaml"
    try:
        document: Any = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise ProjectError(f"{folder} is no template: there is no Pulumi.yaml in it") from error
    except yaml.YAMLError as error:
        raise ProjectError(f"could not read the template {file}: {error}") from error
    document = document if isinstance(document, dict) else {}
    about = document.get("template") or {}
    runtime = document.get("runtime")
    return Template(
        folder=folder,
        name=folder.name,
        description=str(about.get("description") or document.get("description") or ""),
        settings={key: _setting(value) for key, value in (about.get("config") or {}).items()},
        runtime=str(runtime.get("name") if isinstance(runtime, dict) else runtime or ""),
    )


def _setting(value: Any) -> Setting:
    if not isinstance(value, dict):
        return Setting(default="" if value is None else str(value))
    default = value.get("default")
    return Setting(
        description=str(value.get("description") or ""),
        default="" if default is None else str(default),
        secret=bool(value.get("secret")),
    )


def _without_template(file: Path) -> bytes:
    """Pulumi.yaml without its ``template``, comments and order left as they are."""
    kept, inside = [], False
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line[:1].isspace() and line.strip() and not line.startswith("#"):
            inside = line.startswith("template:")
        if not inside:
            kept.append(line)
    return "".join(kept).encode()


def _filled(raw: bytes, name: str, description: str) -> bytes:
    return raw.replace(b"${PROJECT}", name.encode()).replace(b"${DESCRIPTION}", description.encode())
