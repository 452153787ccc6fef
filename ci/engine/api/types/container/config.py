"""``Container``: how it is run - variables, user, working directory, entrypoint, labels, ports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ci.engine.api.registry import Call, serves, serves_attributes
from ci.engine.api.types.common import container_path, expanded
from ci.engine.errors import EngineError
from ci.engine.graph.container import Container, Port
from ci.engine.graph.fingerprint import Digested
from ci.engine.graph.secret import Secret
from ci.engine.platform import host_platform, parsed_platform

if TYPE_CHECKING:
    from ci.engine.graph.texts.envfile import EnvFile


@dataclass(frozen=True)
class Pair(Digested):
    """A name and its value: an environment variable or a label."""

    name: str
    value: str


serves_attributes("EnvVariable", "name", "value")
serves_attributes("Label", "name", "value")
serves_attributes("Port", "port", "protocol", "description", "experimental_skip_healthcheck")


@serves("Query")
def container(_call: Call, _parent: object, *, platform: str | None = None) -> Container:
    """An empty container."""
    return Container(parsed_platform(platform) if platform else host_platform())


@serves("Container", field="platform")
def container_platform(_call: Call, parent: Container) -> str:
    """The platform it runs on."""
    return parent.platform


@serves("Container")
def with_env_variable(
    _call: Call, parent: Container, *, name: str, value: str, expand: bool = False
) -> Container:
    """With a variable set."""
    return parent.with_env(name, expanded(parent, value) if expand else value)


@serves("Container")
def with_env_file_variables(call: Call, parent: Container, *, source: EnvFile) -> Container:
    """With the variables of an env file, what they refer to put in."""
    from ci.engine.api.types.env_file import outside  # few containers have one

    for name in sorted(dict(source.lines)):
        parent = parent.with_env(name, source.value(name, outside(call)))
    return parent


@serves("Container")
def without_env_variable(_call: Call, parent: Container, *, name: str) -> Container:
    """Without a variable."""
    return parent.with_env(name, None)


@serves("Container")
def env_variable(_call: Call, parent: Container, *, name: str) -> str | None:
    """A variable's value, null when it is not set."""
    return parent.env.get(name)


@serves("Container")
def env_variables(_call: Call, parent: Container) -> list[Pair]:
    """Every variable."""
    return [Pair(name, value) for name, value in parent.env.items()]


@serves("Container")
def with_secret_variable(_call: Call, parent: Container, *, name: str, secret: Secret) -> Container:
    """With a variable whose value is a secret."""
    row = (name, secret)
    rows = tuple(row if each[0] == name else each for each in parent.secret_env)
    return replace(parent, secret_env=rows if row in rows else (*rows, row), image_ref=None)


@serves("Container")
def without_secret_variable(_call: Call, parent: Container, *, name: str) -> Container:
    """Without a secret variable."""
    return replace(parent, secret_env=tuple(pair for pair in parent.secret_env if pair[0] != name))


@serves("Container")
def with_volatile_variable(_call: Call, parent: Container, *, name: str, value: str) -> Container:
    """With a variable that steps see and that does not count for the cache."""
    others = tuple(pair for pair in parent.volatile_env if pair[0] != name)
    return replace(parent, volatile_env=(*others, (name, value)))


@serves("Container")
def without_volatile_variable(_call: Call, parent: Container, *, name: str) -> Container:
    """Without a volatile variable."""
    return replace(parent, volatile_env=tuple(pair for pair in parent.volatile_env if pair[0] != name))


@serves("Container")
def with_workdir(_call: Call, parent: Container, *, path: str, expand: bool = False) -> Container:
    """With another working directory."""
    return parent.with_config(workdir=container_path(parent, path, expand=expand).rstrip("/") or "/")


@serves("Container")
def without_workdir(_call: Call, parent: Container) -> Container:
    """With the default working directory."""
    return parent.with_config(workdir="")


@serves("Container")
def workdir(_call: Call, parent: Container) -> str:
    """The working directory."""
    return parent.config.workdir


@serves("Container")
def with_user(_call: Call, parent: Container, *, name: str) -> Container:
    """Run as another user."""
    return parent.with_config(user=name)


@serves("Container")
def without_user(_call: Call, parent: Container) -> Container:
    """Run as the default user."""
    return parent.with_config(user="")


@serves("Container")
def user(_call: Call, parent: Container) -> str:
    """Whom it runs as."""
    return parent.config.user


@serves("Container")
def with_entrypoint(
    _call: Call, parent: Container, *, args: list[str], keep_default_args: bool = False
) -> Container:
    """With an entrypoint; the default arguments go, unless they are kept."""
    changed = parent.with_config(entrypoint=tuple(args) or None)
    return changed if keep_default_args else changed.with_config(cmd=None)


@serves("Container")
def without_entrypoint(_call: Call, parent: Container, *, keep_default_args: bool = False) -> Container:
    """Without an entrypoint."""
    changed = parent.with_config(entrypoint=None)
    return changed if keep_default_args else changed.with_config(cmd=None)


@serves("Container")
def entrypoint(_call: Call, parent: Container) -> list[str]:
    """The entrypoint."""
    return list(parent.config.entrypoint or ())


@serves("Container")
def with_default_args(_call: Call, parent: Container, *, args: list[str]) -> Container:
    """With default arguments."""
    return replace(parent.with_config(cmd=tuple(args) or None), default_args=True)


@serves("Container")
def without_default_args(_call: Call, parent: Container) -> Container:
    """Without default arguments."""
    return replace(parent.with_config(cmd=None), default_args=False)


@serves("Container")
def default_args(_call: Call, parent: Container) -> list[str]:
    """The default arguments."""
    return list(parent.config.cmd or ())


@serves("Container")
def with_default_terminal_cmd(
    _call: Call,
    parent: Container,
    *,
    args: list[str],
    experimental_privileged_nesting: bool = False,
    insecure_root_capabilities: bool = False,
) -> Container:
    """With the command that a terminal opens."""
    return replace(
        parent,
        terminal_cmd=tuple(args),
        terminal_nesting=experimental_privileged_nesting,
        terminal_privileged=insecure_root_capabilities,
    )


@serves("Container")
def with_label(_call: Call, parent: Container, *, name: str, value: str) -> Container:
    """With a label."""
    return parent.with_config(labels=tuple(sorted({**dict(parent.config.labels), name: value}.items())))


@serves("Container")
def without_label(_call: Call, parent: Container, *, name: str) -> Container:
    """Without a label."""
    return parent.with_config(labels=tuple(pair for pair in parent.config.labels if pair[0] != name))


@serves("Container")
def label(_call: Call, parent: Container, *, name: str) -> str | None:
    """A label's value, null when there is none."""
    return dict(parent.config.labels).get(name)


@serves("Container")
def labels(_call: Call, parent: Container) -> list[Pair]:
    """Every label."""
    return [Pair(name, value) for name, value in parent.config.labels]


@serves("Container")
def with_annotation(_call: Call, parent: Container, *, name: str, value: str) -> Container:
    """With an annotation on the image's manifest."""
    return replace(parent, annotations=tuple(sorted({**dict(parent.annotations), name: value}.items())))


@serves("Container")
def without_annotation(_call: Call, parent: Container, *, name: str) -> Container:
    """Without an annotation."""
    return replace(parent, annotations=tuple(pair for pair in parent.annotations if pair[0] != name))


@serves("Container")
def with_exposed_port(
    _call: Call,
    parent: Container,
    *,
    port: int,
    protocol: str = "TCP",
    description: str | None = None,
    experimental_skip_healthcheck: bool = False,
) -> Container:
    """With a port that others reach it at."""
    if not 0 < port < 65536:
        raise EngineError(f"port {port} is out of range: use 1 to 65535")
    return parent.with_port(Port(port, protocol, description, experimental_skip_healthcheck))


@serves("Container")
def without_exposed_port(_call: Call, parent: Container, *, port: int, protocol: str = "TCP") -> Container:
    """Without a port."""
    left = tuple(each for each in parent.ports if (each.port, each.protocol) != (port, protocol))
    return replace(parent, ports=left, image_ref=None)


@serves("Container")
def exposed_ports(_call: Call, parent: Container) -> list[Port]:
    """The ports that others reach it at."""
    return list(parent.ports)


@serves("Container")
def mounts(_call: Call, parent: Container) -> list[str]:
    """Where something is mounted."""
    return [mount.target for mount in parent.mounts if not mount.overlaid]


@serves("Container")
def with_error(_call: Call, parent: Container, *, err: str) -> Container:
    """An error, raised here; an empty one is none."""
    if err:
        raise EngineError(err)
    return parent
