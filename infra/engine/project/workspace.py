"""The project file, Pulumi.yaml: found upwards from a folder, and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.engine.project.errors import NoProjectError, ProjectError

_NAMES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
_TYPES = ("array", "boolean", "integer", "object", "string")


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of the project's ``config``: a value every stack has, or a key with a type and a default."""

    key: str
    type: str = ""
    default: Any = None
    value: Any = None
    secret: bool = False
    items: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """What Pulumi.yaml says. ``backend`` is empty unless the project names one.

    ``plugins`` are the folders of providers by package.
    """

    name: str
    file: Path
    runtime: str
    options: Mapping[str, Any] = field(default_factory=dict)
    main: str = ""
    description: str = ""
    backend: str = ""
    stack_config_dir: str = ""
    settings: tuple[Setting, ...] = ()
    plugins: Mapping[str, Path] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.file.parent

    def stack_file(self, stack: str) -> Path:
        """The file of the stack's configuration, whether it exists or not."""
        folder = self.root / self.stack_config_dir
        existing = [folder / f"Pulumi.{stack}{ending}" for ending in (".yaml", ".yml", ".json")]
        return next(
            (file for file in existing if file.exists()), folder / f"Pulumi.{stack}{self.file.suffix}"
        )


def find(folder: Path) -> Path:
    """The project file of ``folder`` or of the nearest folder above it. Raises NoProjectError."""
    for above in (folder, *folder.parents):
        for name in _NAMES:
            if (above / name).is_file():
                return above / name
    raise NoProjectError(
        f"no Pulumi.yaml project file found (searching upwards from {folder}). If you have not created a"
        " project"
        " yet, use `pulumi new` to do so"
    )


def load(file: Path) -> Project:
    """Read a project file. Raises ProjectError, naming the file and what is wrong in it."""
    document = read_yaml(file)
    if not isinstance(document, dict):
        raise ProjectError(f"could not validate '{file}': expected project to be an object")
    name, runtime = document.get("name"), document.get("runtime")
    if not name:
        raise ProjectError(f"could not validate '{file}': project is missing a 'name' attribute")
    if not isinstance(name, str):
        raise ProjectError(f"could not validate '{file}': project name must be a string")
    if not runtime:
        raise ProjectError(f"could not validate '{file}': project is missing a 'runtime' attribute")
    options: Mapping[str, Any] = {}
    if isinstance(runtime, dict):
        runtime, options = runtime.get("name", ""), runtime.get("options") or {}
    return Project(
        name=name,
        file=file,
        runtime=str(runtime),
        options=options,
        main=document.get("main") or "",
        description=document.get("description") or "",
        backend=(document.get("backend") or {}).get("url") or "",
        stack_config_dir=document.get("stackConfigDir") or (_legacy_config_dir(document)),
        settings=tuple(_settings(name, file, document.get("config") or {})),
        plugins=_plugins(file.parent, document),
    )


def _plugins(root: Path, document: Mapping[str, Any]) -> dict[str, Path]:
    """Providers in folders: ``plugins.providers``, and ``packages`` whose source is a path."""
    providers = (document.get("plugins") or {}).get("providers") or ()
    named = {each["name"]: each["path"] for each in providers if "name" in each and "path" in each}
    for name, source in (document.get("packages") or {}).items():
        place = source.get("source") if isinstance(source, dict) else source
        if isinstance(place, str) and place.startswith((".", "/")):
            named.setdefault(name, place)
    return {name: (root / path).resolve() for name, path in named.items()}


def _legacy_config_dir(document: Mapping[str, Any]) -> str:
    config = document.get("config")
    return config if isinstance(config, str) else ""


def _settings(project: str, file: Path, config: Any) -> list[Setting]:
    if isinstance(config, str):
        return []
    settings = []
    for name, entry in config.items():
        key = name if ":" in name else f"{project}:{name}"
        if not isinstance(entry, dict) or not set(entry) & {
            "type",
            "default",
            "value",
            "secret",
            "items",
            "description",
        }:
            settings.append(Setting(key, value=entry))
            continue
        kind = entry.get("type") or ""
        if kind and kind not in _TYPES:
            raise ProjectError(
                f"could not validate '{file}': config '{name}' has type '{kind}': it may be"
                f" {', '.join(_TYPES)}"
            )
        items = (entry.get("items") or {}).get("type", "")
        settings.append(
            Setting(key, kind, entry.get("default"), entry.get("value"), bool(entry.get("secret")), items)
        )
    return settings


def has_type(value: Any, kind: str, items: str = "") -> bool:
    """Whether a configuration value is of a type that a project asks for; text that reads as one is."""
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, str) and value.lstrip("+-").isdecimal())
    if kind == "boolean":
        return isinstance(value, bool) or value in {"true", "false"}
    if kind == "string":
        return isinstance(value, str | int | float | bool)
    if kind == "array":
        return isinstance(value, list) and (not items or all(has_type(item, items) for item in value))
    return isinstance(value, dict)


def read_yaml(file: Path) -> Any:
    """What a YAML (or JSON) file holds. Raises ProjectError with the place of a syntax error."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - the safe one
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"could not read '{file}': {error}") from error
    except OSError as error:
        raise ProjectError(f"could not read '{file}': {error.strerror}") from error
