"""Dockerfiles: what `dockerBuild` makes of them."""

import dagger

from tests.parity.world import Room, World

FROM = "FROM python:3.11-slim"


def _build(world: World, *lines: str, files: dict[str, str] | None = None, **options) -> dagger.Container:
    context = world.directory().with_new_file("Dockerfile", "\n".join(lines) + "\n")
    for path, text in (files or {}).items():
        context = context.with_new_file(path, text)
    return context.docker_build(**options)


async def _ran(world: World, *lines: str, command: str = "cat /out", **options) -> str:
    """What a command prints in the image that is built from Debian's Python."""
    built = _build(world, f"{FROM} AS first", f"ENV RUN_MARK={world.unique}", *lines, **options)
    return await world.shell(command, built)


async def _configuration(world: World, *lines: str) -> list[object]:
    built = _build(world, "FROM scratch", *lines)
    return [
        await built.entrypoint(),
        await built.default_args(),
        await built.workdir(),
        await built.user(),
        sorted([f"{await v.name()}={await v.value()}" for v in await built.env_variables()]),
        sorted([f"{await v.name()}={await v.value()}" for v in await built.labels()]),
        sorted([f"{await p.port()}/{(await p.protocol()).value}" for p in await built.exposed_ports()]),
    ]


FILES = {"a.txt": "a", "b.txt": "b", "src/c.py": "c", "src/deep/d.py": "d", "odd name": "odd"}


async def _configuration_of(world: World, *lines: str) -> list[str]:
    variables = await _build(world, *lines).env_variables()
    return sorted([f"{await v.name()}={await v.value()}" for v in variables])


async def _entrypoint(world: World) -> list[object]:
    built = _build(world, "FROM scratch AS base", 'CMD ["a"]', "FROM base", 'ENTRYPOINT ["e"]')
    return [await built.entrypoint(), await built.default_args()]


async def _checked(world: World) -> list[object]:
    line = "HEALTHCHECK --interval=5s --retries=2 CMD curl -f http://localhost/"
    check = _build(world, "FROM scratch", line).docker_healthcheck()
    return [await check.args(), await check.shell(), await check.interval(), await check.retries()]


PIPELINES: Room = {
    "a step": lambda w: _ran(w, "RUN echo hello > /out"),
    "a step in JSON form": lambda w: _ran(w, 'RUN ["sh", "-c", "echo $0 > /out"]'),
    "a step over several lines": lambda w: _ran(
        w, "RUN echo one \\", "  # a comment", "  two \\", "", "  > /out"
    ),
    "a step with a here-document": lambda w: _ran(
        w, "RUN <<EOF", "echo one > /out", "echo two >> /out", "EOF"
    ),
    "a here-document for another program": lambda w: _ran(
        w, "RUN python3 - <<EOF > /out", "print('from python')", "EOF"
    ),
    "a step that fails": lambda w: _ran(w, "RUN echo out; echo err >&2; exit 3"),
    "another shell": lambda w: _ran(w, 'SHELL ["python3", "-c"]', "RUN open('/out', 'w').write('py')"),
    "an argument's default": lambda w: _ran(w, "ARG A=1", "RUN echo $A > /out"),
    "an argument that is given": lambda w: _ran(
        w, "ARG A=1", "RUN echo $A > /out", build_args=[dagger.BuildArg(name="A", value="2")]
    ),
    "an argument is no variable later": lambda w: _ran(w, "ARG A=1", "RUN true", command="echo ${A-unset}"),
    "an argument of the platform": lambda w: _ran(w, "ARG TARGETARCH", "RUN echo $TARGETARCH > /out"),
    "a variable goes before an argument": lambda w: _ran(w, "ARG A=1", "ENV A=3", "RUN echo $A > /out"),
    "variables refer to others": lambda w: _configuration(
        w, "ENV A=1 B=two\\ words", 'ENV C="$A-${B}" D=${NOPE:-none} E=${A:+set}', "ENV OLD a b  c"
    ),
    "a variable sees those before its line": lambda w: _configuration(w, "ENV A=1", "ENV A=2 B=$A"),
    "quotes in variables": lambda w: _configuration(w, "ENV A='$X' B=\"a b\" C=\\$X D=a'b c'd"),
    "a configuration": lambda w: _configuration(
        w,
        'ENTRYPOINT ["/e", "x"]',
        'CMD ["c"]',
        "WORKDIR /a",
        "WORKDIR b",
        "USER 1:2",
        "LABEL one=1 two='2 3'",
        "EXPOSE 80 53/udp 90-91",
        "STOPSIGNAL SIGINT",
        "VOLUME /data",
    ),
    "commands in shell form": lambda w: _configuration(w, "ENTRYPOINT run it", "CMD echo $A"),
    "an entrypoint takes the base's command away": _entrypoint,
    "a folder is copied": lambda w: _build(w, "FROM scratch", "COPY src /d", files=FILES).rootfs().glob("**"),
    "files are copied into a folder": lambda w: (
        _build(w, "FROM scratch", "COPY a.txt b.txt /d/", files=FILES).rootfs().glob("**")
    ),
    "files are copied by a pattern": lambda w: (
        _build(w, "FROM scratch", "COPY *.txt /d/", files=FILES).rootfs().glob("**")
    ),
    "a file is copied under another name": lambda w: (
        _build(w, "FROM scratch", "COPY a.txt /d/e", files=FILES).rootfs().glob("**")
    ),
    "a file is copied into the working directory": lambda w: (
        _build(w, "FROM scratch", "WORKDIR /w", "COPY a.txt .", "COPY src ./s", files=FILES)
        .rootfs()
        .glob("**")
    ),
    "a file with a blank in its name is copied": lambda w: (
        _build(w, "FROM scratch", 'COPY ["odd name", "/to here"]', files=FILES).rootfs().glob("**")
    ),
    "everything is copied": lambda w: (
        _build(w, "FROM scratch", "COPY . /", files={**FILES, ".dockerignore": "# no\n**/*.py\n!src/c.py\n"})
        .rootfs()
        .glob("**")
    ),
    "a file that is not there is copied": lambda w: (
        _build(w, "FROM scratch", "COPY nope /d", files=FILES).rootfs().glob("**")
    ),
    "a pattern that matches nothing is copied": lambda w: (
        _build(w, "FROM scratch", "COPY *.nope /d/", files=FILES).rootfs().glob("**")
    ),
    "modes and owners of a copy": lambda w: _ran(
        w,
        "COPY --chmod=640 --chown=daemon:mail a.txt /x/",
        "COPY --chown=12:34 src /y",
        files=FILES,
        command="stat -c '%a %U:%G %n' /x/a.txt; stat -c '%a %u:%g %n' /y/c.py",
    ),
    "a copy of a here-document": lambda w: _ran(
        w,
        "ENV A=1",
        "COPY <<EOF /out",
        'with $A and "quotes"',
        "EOF",
        "COPY <<'RAW' /raw",
        "$A",
        "RAW",
        command="cat /out /raw",
    ),
    "a copy from a stage": lambda w: (
        _build(
            w,
            "FROM scratch AS one",
            "COPY a.txt /made/a",
            "FROM scratch",
            "COPY --from=one /made /here",
            "COPY --from=0 /made/a /there",
            files=FILES,
        )
        .rootfs()
        .glob("**")
    ),
    "a copy from an image": lambda w: _ran(w, "COPY --from=python:3.11-slim /etc/debian_version /out"),
    "a stage on a stage": lambda w: _ran(
        w, "RUN echo one > /out", f"{FROM} AS other", "FROM first", "RUN echo two >> /out"
    ),
    "a target": lambda w: (
        _build(
            w,
            "FROM scratch AS one",
            "COPY a.txt /",
            "FROM scratch AS two",
            "COPY b.txt /",
            files=FILES,
            target="one",
        )
        .rootfs()
        .entries()
    ),
    "a target that is not there": lambda w: _build(w, "FROM scratch", target="nope").rootfs().entries(),
    "a stage that nobody needs is not built": lambda w: _ran(
        w, "RUN echo fine > /out", f"{FROM} AS unused", "RUN exit 1", "FROM first"
    ),
    "an argument before the first stage": lambda w: (
        _build(
            w, "ARG BASE=scratch", "ARG NAME=x", "FROM ${BASE}", "ARG NAME", "COPY a.txt /$NAME", files=FILES
        )
        .rootfs()
        .entries()
    ),
    "a folder with memory mounted": lambda w: _ran(
        w, "RUN --mount=type=tmpfs,target=/t echo x > /t/x && ls /t > /out", command="cat /out; ls /t"
    ),
    "a folder of the context mounted": lambda w: _ran(
        w, "RUN --mount=type=bind,source=src,target=/s cat /s/c.py > /out", files=FILES
    ),
    "a folder of a stage mounted": lambda w: _ran(
        w, "RUN echo made > /m", f"{FROM}", "RUN --mount=from=first,target=/s cat /s/m > /out"
    ),
    "a cache mounted": lambda w: _ran(
        w,
        f"RUN --mount=type=cache,id={w.unique},target=/c echo kept > /c/x",
        f"RUN --mount=type=cache,id={w.unique},target=/c cat /c/x > /out",
    ),
    "a secret mounted": lambda w: _ran(
        w,
        "RUN --mount=type=secret,id=five wc -c < /run/secrets/five > /out",
        secrets=[w.dag.set_secret("five", "12345")],
    ),
    "a secret in a variable": lambda w: _ran(
        w,
        "RUN --mount=type=secret,id=seven,env=T echo ${#T} > /out",
        secrets=[w.dag.set_secret("seven", "1234567")],
    ),
    "a secret that is not given": lambda w: _ran(
        w, "RUN --mount=type=secret,id=none ls /run/secrets/none > /out 2>&1 || echo gone > /out"
    ),
    "a user and what it makes": lambda w: _ran(
        w,
        "USER daemon",
        "WORKDIR /tmp/w",
        "RUN id -un > out",
        command="cat /tmp/w/out; stat -c %U /tmp/w/out",
    ),
    "a health check": _checked,
    "an instruction that is none": lambda w: _build(w, "FROM scratch", "NOPE x").rootfs().entries(),
    "a Dockerfile without a stage": lambda w: _build(w, "RUN true").rootfs().entries(),
    "an empty Dockerfile": lambda w: _build(w, "").rootfs().entries(),
    "a Dockerfile that is not there": lambda w: w.directory().docker_build().rootfs().entries(),
    "a Dockerfile of another name": lambda w: (
        w.directory()
        .with_new_file("d/Other", "FROM scratch\nCOPY x /y\n")
        .with_new_file("x", "")
        .docker_build(dockerfile="d/Other")
        .rootfs()
        .entries()
    ),
    "another escape": lambda w: _configuration_of(w, "# escape=`", "FROM scratch", "ENV A=1 `", "  B=c\\d"),
    "an ADD of a file": lambda w: _build(w, "FROM scratch", "ADD a.txt /d/", files=FILES).rootfs().glob("**"),
}
