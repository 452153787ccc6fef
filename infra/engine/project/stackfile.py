"""A stack's configuration file, Pulumi.<stack>.yaml: read, and changed with all else in it left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.engine.project import values
from infra.engine.project.errors import ProjectError
from infra.engine.project.workspace import Project, has_type, read_yaml


@dataclass(frozen=True, slots=True)
class StackFile:
    """What the file says: ``config`` by full key, values as in the file (secrets as ``{"secure": ...}``)."""

    path: Path
    config: Mapping[str, Any] = field(default_factory=dict)
    encryption_salt: str = ""
    secrets_provider: str = ""
    environment: tuple[Any, ...] = ()


def load(path: Path, project: str) -> StackFile:
    """Read a stack's file; one that does not exist says nothing. Raises ProjectError."""
    if not path.exists():
        return StackFile(path)
    document = read_yaml(path) or {}
    if not isinstance(document, dict):
        raise ProjectError(f"could not read '{path}': expected stack configuration to be an object")
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise ProjectError(f"could not read '{path}': 'config' must be a map of keys to values")
    return StackFile(
        path,
        {values.parse_key(str(key), project): value for key, value in config.items()},
        document.get("encryptionsalt") or "",
        document.get("secretsprovider") or "",
        tuple(document.get("environment") or ()),
    )


def save(file: StackFile, project: str) -> None:
    """Write what changed into the file: order, comments and everything unknown stay as they are."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1 << 20
    yaml.preserve_quotes = True
    document = yaml.load(file.path.read_text(encoding="utf-8")) if file.path.exists() else None
    if document is None:
        document = CommentedMap()
    _put(document, "secretsprovider", file.secrets_provider, first=True)
    _put(document, "encryptionsalt", file.encryption_salt, first=True)
    config = document.get("config")
    if config is None:
        config = CommentedMap()
    known = {values.parse_key(str(key), project): key for key in config}
    for full, key in known.items():
        if full not in file.config:
            del config[key]
    for full, value in file.config.items():
        key = known.get(full, full)
        if key not in config or config[key] != value:
            config[key] = _styled(value)
    if config:
        document["config"] = config
    else:
        document.pop("config", None)
    file.path.parent.mkdir(parents=True, exist_ok=True)
    from io import StringIO

    from infra.engine.state import files

    text = StringIO()
    if document:
        yaml.dump(document, text)
    mode = file.path.stat().st_mode & 0o777 if file.path.exists() else 0o644
    files.write(file.path, text.getvalue().encode(), durable=False)
    file.path.chmod(mode)


def _put(document: Any, name: str, value: str, *, first: bool) -> None:
    if document.get(name) == (value or None):
        return
    if not value:
        document.pop(name, None)
    elif name in document or not first:
        document[name] = value
    else:
        document.insert(0, name, value)


_AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ""})


def _styled(value: Any) -> Any:
    """``value`` with text quoted where a reader of YAML might take it for something else."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if isinstance(value, dict):
        return CommentedMap((_styled(key), _styled(item)) for key, item in sorted(value.items()))
    if isinstance(value, list):
        return CommentedSeq(_styled(item) for item in value)
    if isinstance(value, str):
        if "\n" in value.strip("\n"):
            return LiteralScalarString(value)
        if value.lower() in _AMBIGUOUS or _reads_as_number(value):
            return DoubleQuotedScalarString(value)
    return value


def _reads_as_number(text: str) -> bool:
    import yaml

    try:
        return not isinstance(yaml.safe_load(text), str)
    except yaml.YAMLError:
        return False


def effective(project: Project, stack: str, file: StackFile, *, validate: bool = True) -> dict[str, Any]:
    """The stack's configuration together with what the project gives every stack.

    Raises:
        ProjectError: a key that the project asks for is missing, or its value is of another type.
    """
    config = dict(file.config)
    for setting in project.settings:
        given = setting.value if setting.value is not None else setting.default
        if setting.key not in config and given is not None:
            config[setting.key] = given
        if not validate or not setting.type:
            continue
        name = values.shown_key(setting.key, project.name)
        if setting.key not in config:
            raise ProjectError(f"Stack '{stack}' is missing configuration value '{name}'")
        value = config[setting.key]
        if setting.secret and not values.is_secure(value):
            raise ProjectError(
                f"Stack '{stack}' with configuration key '{name}' must be encrypted as it's secret"
            )
        if not values.is_secure(value) and not has_type(value, setting.type, setting.items):
            kind = f"array of type '{setting.items}'" if setting.items else f"of type '{setting.type}'"
            raise ProjectError(f"Stack '{stack}' with configuration key '{name}' must be {kind}")
    return config
