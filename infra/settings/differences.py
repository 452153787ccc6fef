"""In what environments differ, as a table; and whether that is only what they may differ in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.settings.model import DELIVERED, DIFFERING, ENVIRONMENTS, NAMESPACE, Settings
from infra.settings.reading import SettingsError, from_mapping

PLACE = "gcp:project"
"""Each environment has a project of its own; no other key of another namespace may be set for one alone."""
_SECURE = "secure"


@dataclass(frozen=True, slots=True)
class Environment:
    """A stack's name, its settings, and what its file sets for other packages."""

    name: str
    settings: Settings
    foreign: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A key whose value isn't the same everywhere; ``allowed`` says whether it may be so."""

    key: str
    values: tuple[str, ...]
    allowed: bool


def read_environments(folder: Path, names: tuple[str, ...] = ENVIRONMENTS) -> tuple[Environment, ...]:
    """The environments that the stack files in ``folder`` describe. Raises SettingsError naming the file."""
    return tuple(_read(folder / f"Pulumi.{name}.yaml", name) for name in names)


def differences(environments: tuple[Environment, ...]) -> tuple[Difference, ...]:
    """All keys whose values differ, sorted; a key that is in one file alone differs too."""
    flat = [dict(_flat(environment)) for environment in environments]
    keys = sorted({key for values in flat for key in values})
    return tuple(
        Difference(key, tuple(values.get(key, "-") for values in flat), _may_differ(key))
        for key in keys
        if len({values.get(key, "-") for values in flat}) > 1
    )


def table(environments: tuple[Environment, ...], found: tuple[Difference, ...]) -> str:
    """The differences in columns, one for each environment; what may not be is marked with ``!``."""
    rows = [("", *(environment.name for environment in environments))]
    rows += [(f"{'' if row.allowed else '! '}{row.key}", *row.values) for row in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _read(path: Path, name: str) -> Environment:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise SettingsError(f"{path.name}: {error.strerror}. Each environment has a stack file.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path.name}: not YAML: {error}") from error
    config: dict[str, Any] = document.get("config") or {}
    own = {key.partition(":")[2]: _plain(v) for key, v in config.items() if key.startswith(f"{NAMESPACE}:")}
    foreign = {key: value for key, value in config.items() if not key.startswith(f"{NAMESPACE}:")}
    try:
        return Environment(name, from_mapping(own), foreign)
    except SettingsError as error:
        raise SettingsError(f"{path.name}: {error}") from error


def _plain(value: Any) -> Any:
    """A value without its encryption: that a secret is there can be compared, what it is cannot."""
    if isinstance(value, dict):
        return "[secret]" if set(value) == {_SECURE} else {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _flat(environment: Environment) -> Iterator[tuple[str, str]]:
    settings = environment.settings
    for name in settings.__dataclass_fields__:
        value = getattr(settings, name)
        if name == "secrets":
            yield name, ", ".join(sorted(value)) or "-"
        elif is_dataclass(value) and not isinstance(value, type):
            for key, item in asdict(value).items():
                yield f"{name}.{key}", _shown(item)
        else:
            yield name, _shown(value)
    for key, value in environment.foreign.items():
        yield key, _shown(_plain(value))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _may_differ(key: str) -> bool:
    first = key.partition(".")[0]
    return key == PLACE or first in DIFFERING or (first in DELIVERED and first != "secrets")
