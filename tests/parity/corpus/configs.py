"""What a container's configuration answers, and what a step sees of it."""

import dagger

from tests.parity.world import Room, World


async def _environment(container) -> list[str]:
    return sorted([f"{await v.name()}={await v.value()}" for v in await container.env_variables()])


async def _labels(container) -> list[str]:
    return sorted([f"{await label.name()}={await label.value()}" for label in await container.labels()])


async def _ports(container) -> list[list[object]]:
    return [
        [await p.port(), await p.protocol(), await p.description()] for p in await container.exposed_ports()
    ]


def _empty(world: World):
    return world.dag.container()


async def _health(world: World) -> list[object]:
    check = world.base.with_docker_healthcheck(
        ["curl", "-f", "x"], interval="5s", retries=2
    ).docker_healthcheck()
    return [
        await check.args(),
        await check.shell(),
        await check.interval(),
        await check.retries(),
        await check.timeout(),
    ]


async def _foreign(world: World) -> str:
    return (
        await world.dag.container(platform=dagger.Platform("linux/s390x"))
        .with_rootfs(world.base.rootfs())
        .platform()
    )


def _udp():
    return dagger.NetworkProtocol.UDP


PIPELINES: Room = {
    "an empty container's entrypoint": lambda w: _empty(w).entrypoint(),
    "an empty container's default arguments": lambda w: _empty(w).default_args(),
    "an empty container's working directory": lambda w: _empty(w).workdir(),
    "an empty container's user": lambda w: _empty(w).user(),
    "an empty container's environment": lambda w: _environment(_empty(w)),
    "an empty container's files": lambda w: _empty(w).rootfs().entries(),
    "an empty container's platform": lambda w: _empty(w).platform(),
    "an empty container's image": lambda w: _empty(w).image_ref(),
    "a variable": lambda w: w.shell("echo $A", w.base.with_env_variable("A", "b c")),
    "a variable that is not set": lambda w: w.base.env_variable("NOPE"),
    "a variable is expanded": lambda w: (
        w.base.with_env_variable("A", "1").with_env_variable("B", "${A}2$A", expand=True).env_variable("B")
    ),
    "a variable is not expanded": lambda w: w.base.with_env_variable("B", "$A").env_variable("B"),
    "an unknown variable is expanded": lambda w: w.base.with_env_variable(
        "B", "<${NOPE}>", expand=True
    ).env_variable("B"),
    "a variable without a name": lambda w: w.base.with_env_variable("", "x").env_variable(""),
    "a variable with an equals sign in its name": lambda w: _environment(
        _empty(w).with_env_variable("A=B", "x")
    ),
    "a variable is set twice": lambda w: _environment(
        _empty(w).with_env_variable("A", "1").with_env_variable("B", "2").with_env_variable("A", "3")
    ),
    "a variable is removed": lambda w: _environment(
        _empty(w).with_env_variable("A", "1").without_env_variable("A").without_env_variable("NOPE")
    ),
    "an empty variable": lambda w: w.shell('echo "${A-unset}"', w.base.with_env_variable("A", "")),
    "what a step's environment is": lambda w: w.shell("env | cut -d= -f1 | grep -v '^OTEL\\|^TRACE' | sort"),
    "HOME is the user's": lambda w: w.shell("echo $HOME", w.base.with_user("nobody")),
    "HOME of a number": lambda w: w.shell("echo $HOME", w.base.with_user("4242")),
    "variables of an env file": lambda w: _environment(
        _empty(w).with_env_file_variables(w.dag.env_file().with_variable("A", "1").with_variable("B", "x y"))
    ),
    "the working directory": lambda w: w.shell("pwd", w.base.with_workdir("/a/b")),
    "a relative working directory": lambda w: w.base.with_workdir("/a").with_workdir("b").workdir(),
    "a working directory above": lambda w: w.base.with_workdir("/a/b").with_workdir("../..").workdir(),
    "a working directory is expanded": lambda w: (
        w.base.with_env_variable("A", "x").with_workdir("/$A/y", expand=True).workdir()
    ),
    "no working directory": lambda w: w.base.with_workdir("/a").without_workdir().workdir(),
    "a working directory that is made belongs to": lambda w: w.shell(
        "stat -c '%U %a' /made/here", w.base.with_user("nobody").with_workdir("/made/here").with_user("root")
    ),
    "a user by name": lambda w: w.shell("id -un; id -gn", w.base.with_user("daemon")),
    "a user by number": lambda w: w.shell("id -u; id -g", w.base.with_user("1234")),
    "a user and a group": lambda w: w.shell("id -u; id -g", w.base.with_user("1234:5")),
    "a user and a group by name": lambda w: w.shell("id -u; id -g", w.base.with_user("daemon:mail")),
    "a user that is not there": lambda w: w.shell("id", w.base.with_user("nobody-here")),
    "a group that is not there": lambda w: w.shell("id", w.base.with_user("daemon:nothing")),
    "a user's other groups": lambda w: w.shell(
        "id -G", w.base.with_exec(["usermod", "-aG", "mail", "games"]).with_user("games")
    ),
    "the user, asked": lambda w: w.base.with_user("daemon:mail").user(),
    "no user": lambda w: w.base.with_user("daemon").without_user().user(),
    "an entrypoint is not used unless asked for": lambda w: (
        w.base.with_entrypoint(["echo", "entry"]).with_exec(["echo", "plain"]).stdout()
    ),
    "an entrypoint is used": lambda w: (
        w.base.with_entrypoint(["echo", "entry"]).with_exec(["more"], use_entrypoint=True).stdout()
    ),
    "an entrypoint takes the default arguments away": lambda w: (
        w.base.with_default_args(["a"]).with_entrypoint(["echo"]).default_args()
    ),
    "an entrypoint keeps the default arguments": lambda w: (
        w.base.with_default_args(["a"]).with_entrypoint(["echo"], keep_default_args=True).default_args()
    ),
    "no entrypoint": lambda w: w.base.with_entrypoint(["echo"]).without_entrypoint().entrypoint(),
    "no entrypoint, default arguments kept": lambda w: (
        w.base.with_entrypoint(["echo"])
        .with_default_args(["a"])
        .without_entrypoint(keep_default_args=True)
        .default_args()
    ),
    "default arguments": lambda w: w.base.with_default_args(["echo", "x"]).default_args(),
    "default arguments are run by stdout": lambda w: w.base.with_default_args(["echo", "x"]).stdout(),
    "an entrypoint and default arguments are run by stdout": lambda w: (
        w.base.with_entrypoint(["echo", "a"]).with_default_args(["b"]).stdout()
    ),
    "an empty container's stdout": lambda w: w.dag.container().stdout(),
    "no default arguments": lambda w: w.base.with_default_args(["x"]).without_default_args().default_args(),
    "labels": lambda w: _labels(_empty(w).with_label("b", "1").with_label("a", "2").with_label("b", "3")),
    "a label": lambda w: _empty(w).with_label("b", "1").label("b"),
    "a label that is not there": lambda w: _empty(w).label("b"),
    "no label": lambda w: _labels(_empty(w).with_label("b", "1").without_label("b").without_label("c")),
    "ports": lambda w: _ports(
        _empty(w)
        .with_exposed_port(80, description="web")
        .with_exposed_port(53, protocol=_udp())
        .with_exposed_port(80)
    ),
    "a port is hidden again": lambda w: _ports(
        _empty(w).with_exposed_port(80).with_exposed_port(80, protocol=_udp()).without_exposed_port(80)
    ),
    "a port that is none": lambda w: _ports(_empty(w).with_exposed_port(70000)),
    "a port below zero": lambda w: _ports(_empty(w).with_exposed_port(-1)),
    "mounts are listed": lambda w: (
        w.base.with_mounted_directory("/m/d", w.directory())
        .with_mounted_temp("/m/t")
        .with_mounted_cache("/m/c", w.dag.cache_volume(w.unique))
        .mounts()
    ),
    "mounts but one": lambda w: (
        w.base.with_mounted_temp("/m/t").with_mounted_temp("/m/u").without_mount("/m/t").mounts()
    ),
    "a health check": _health,
    "no health check": lambda w: w.base.docker_healthcheck().args(),
    "an error put on a container": lambda w: w.base.with_error("went wrong").stdout(),
    "a foreign platform": _foreign,
    "a platform that is none": lambda w: w.dag.container(
        platform=dagger.Platform("linux/nothing")
    ).platform(),
    "the default platform": lambda w: w.dag.default_platform(),
}
