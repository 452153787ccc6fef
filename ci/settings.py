"""Reads what pyproject.toml says to the pipeline: name and version, and the gate's thresholds."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

TABLE = "tool.shipway.gate"
DEPLOY = "tool.shipway.deploy"


class BadConfiguration(Exception):
    """pyproject.toml cannot be used; the text names file, line and remedy."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a metric may be: at least ``min``, at most ``max``, either of them optional."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Deploy:
    """Names in the cloud. `project` has "{env}" where the environment's name goes."""

    project: str
    region: str
    repository: str
    service: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The project's part of pyproject.toml that matters to the pipeline."""

    name: str
    version: str
    description: str
    gate: dict[str, Bounds]
    deploy: Deploy


def read(path: Path) -> Settings:
    """Read and check a pyproject.toml.

    Raises:
        BadConfiguration: it is missing, isn't TOML, or says something that cannot be meant.
    """
    return parse(_text(path), path.name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadConfiguration(f"{path} is missing. Restore it: git checkout -- {path.name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(
            f"{path} cannot be read: {error}. Restore it: git checkout -- {path.name}"
        ) from None


def parse(text: str, file: str) -> Settings:
    """Read and check the text of a pyproject.toml, called ``file`` in errors.

    Raises:
        BadConfiguration: it isn't TOML, or says something that cannot be meant.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, line = _split_place(str(error), text)
        raise BadConfiguration(
            f"{file}:{line}: {problem}. Correct that line; `git diff {file}` shows what changed."
        ) from None
    project = _table(document, "project", text, file)
    gate = _table(document, TABLE, text, file)
    for key in ("name", "version", "description"):
        if not isinstance(project.get(key), str):
            _fail(text, file, "project", f'[project] needs a text `{key}`. Add {key} = "..." to it')
    return Settings(
        project["name"],
        project["version"],
        project["description"],
        {metric: _bounds(metric, value, text, file) for metric, value in gate.items()},
        _deploy(_table(document, DEPLOY, text, file), text, file),
    )


def _table(document: dict[str, Any], name: str, text: str, file: str) -> dict[str, Any]:
    table: Any = document
    for part in name.split("."):
        table = table.get(part) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        _fail(text, file, name, f"there is no table [{name}]. Add it, as in the project's own pyproject.toml")
    return table


def _bounds(metric: str, value: Any, text: str, file: str) -> Bounds:
    remedy = f'Write it as "{metric}" = {{ min = 0.8 }}, with min, max or both as numbers'
    if not isinstance(value, dict) or not value or set(value) - {"min", "max"}:
        _fail(text, file, metric, f"the gate's threshold for {metric} is not understood. {remedy}")
    for bound in value.values():
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            _fail(text, file, metric, f"the gate's bound {bound!r} for {metric} is not a number. {remedy}")
    bounds = Bounds(**value)
    if bounds.min is not None and bounds.max is not None and bounds.min > bounds.max:
        _fail(
            text,
            file,
            metric,
            f"no value of {metric} is at least {bounds.min} and at most {bounds.max}. {remedy}",
        )
    return bounds


def _deploy(table: dict[str, Any], text: str, file: str) -> Deploy:
    names = [field.name for field in fields(Deploy)]
    for key in sorted(table.keys() | set(names)):
        if key not in names:
            _fail(text, file, key, f"[{DEPLOY}] has no `{key}`. Remove it; there are {', '.join(names)}")
        if not isinstance(table.get(key), str) or not table[key]:
            _fail(text, file, DEPLOY, f'[{DEPLOY}] needs a text `{key}`. Add {key} = "..." to it')
    return Deploy(**table)


def _fail(text: str, file: str, wanted: str, problem: str) -> NoReturn:
    """Raise with the line that mentions ``wanted``, or the last one when none does."""
    lines = text.splitlines()
    line = next((number for number, content in enumerate(lines, 1) if wanted in content), max(len(lines), 1))
    raise BadConfiguration(f"{file}:{line}: {problem}.")


def _split_place(message: str, text: str) -> tuple[str, int]:
    """The TOML parser's message without its place, and the line of that place."""
    if found := re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", message, re.DOTALL):
        return found[1], int(found[2])
    return message.removesuffix(" (at end of document)"), max(len(text.splitlines()), 1)
