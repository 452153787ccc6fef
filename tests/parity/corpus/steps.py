"""Steps: their output, their exit codes, their errors, and where they run."""

import dagger

from tests.parity.world import Room, World

ANY = dagger.ReturnType.ANY
FAILURE = dagger.ReturnType.FAILURE


def _sh(world: World, script: str, **arguments) -> dagger.Container:
    return world.base.with_exec(["sh", "-c", script], **arguments)


async def _outcome(container: dagger.Container) -> list[object]:
    return [await container.exit_code(), await container.stdout(), await container.stderr()]


async def _much(world: World) -> list[object]:
    try:
        await _sh(world, "seq 100000 >&2; seq 5; exit 1").sync()
    except dagger.ExecError as error:
        return [error.stdout, len(error.stderr), error.stderr[:40], error.stderr[-12:]]
    return []


async def _once(world: World) -> bool:
    step = _sh(world, f"cat /proc/sys/kernel/random/uuid # {world.unique}")
    return await step.stdout() == await step.with_env_variable("A", "").without_env_variable("A").stdout()


async def _twice(world: World) -> bool:
    draw = ["cat", "/proc/sys/kernel/random/uuid"]
    one = world.base.with_env_variable("A", world.unique).with_exec(draw)
    return (
        await one.stdout()
        == await world.base.with_env_variable("A", world.unique + "2").with_exec(draw).stdout()
    )


async def _length(world: World) -> int:
    return len(await _sh(world, "seq 100000").stdout())


PIPELINES: Room = {
    "stdout": lambda w: _sh(w, "echo out; echo err >&2").stdout(),
    "stderr": lambda w: _sh(w, "echo out; echo err >&2").stderr(),
    "both together": lambda w: _sh(
        w, "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three"
    ).combined_output(),
    "stdout of a container without steps": lambda w: w.base.without_default_args().stdout(),
    "the exit code of a container without steps": lambda w: w.base.without_default_args().exit_code(),
    "stdout is the last step's": lambda w: _sh(w, "echo one").with_exec(["true"]).stdout(),
    "output that is no text": lambda w: _sh(w, "printf 'a\\377b'").stdout(),
    "an exit code": lambda w: _outcome(_sh(w, "echo out; echo err >&2; exit 3", expect=ANY)),
    "an exit code of success": lambda w: _sh(w, "true").exit_code(),
    "a failure that was expected": lambda w: _outcome(_sh(w, "exit 4", expect=FAILURE)),
    "a success where a failure was expected": lambda w: _outcome(_sh(w, "echo fine", expect=FAILURE)),
    "a failure": lambda w: _sh(w, "echo out; echo err >&2; exit 3").stdout(),
    "a failure, asked for its exit code": lambda w: _sh(w, "exit 3").exit_code(),
    "a failure, asked for a file": lambda w: _sh(w, "echo x > /f; exit 3").file("/f").contents(),
    "a failure, a step later": lambda w: _sh(w, "echo early; exit 3").with_exec(["echo", "late"]).stdout(),
    "a failure that was allowed keeps its files": lambda w: (
        _sh(w, "echo x > /f; exit 3", expect=ANY).file("/f").contents()
    ),
    "a failure without output": lambda w: w.base.with_exec(["false"]).sync(),
    "a failure with much output": _much,
    "a command that is not there": lambda w: w.base.with_exec(["nope-nope"]).stdout(),
    "a command at a path that is not there": lambda w: w.base.with_exec(["/nope/nope"]).stdout(),
    "a command that may not be run": lambda w: w.base.with_exec(["/etc/passwd"]).stdout(),
    "a command that is a directory": lambda w: w.base.with_exec(["/etc"]).stdout(),
    "a program of no known format": lambda w: (
        w.base.with_new_file("/p", "echo no first line\n", permissions=0o755).with_exec(["/p"]).stdout()
    ),
    "an interpreter that is not there": lambda w: (
        w.base.with_new_file("/p", "#!/nope\n", permissions=0o755).with_exec(["/p"]).stdout()
    ),
    "a command that is not there, allowed": lambda w: w.base.with_exec(["nope-nope"], expect=ANY).exit_code(),
    "no command": lambda w: w.base.without_default_args().with_exec([]).stdout(),
    "an empty command": lambda w: w.base.with_exec([""]).stdout(),
    "a command in a container without files": lambda w: w.dag.container().with_exec(["true"]).stdout(),
    "ended by a signal": lambda w: _sh(w, "kill -9 $$").stdout(),
    "ended by a signal, allowed": lambda w: _sh(w, "kill -TERM $$", expect=ANY).exit_code(),
    "an exit code above 191": lambda w: _sh(w, "exit 200").stdout(),
    "the exit code 255": lambda w: _sh(w, "exit 255", expect=ANY).exit_code(),
    "a user for whom a step fails": lambda w: w.shell("touch /usr/x", w.base.with_user("nobody")),
    "stdin": lambda w: w.base.with_exec(["cat"], stdin="a\nb").stdout(),
    "an empty stdin": lambda w: w.base.with_exec(["cat"]).stdout(),
    "stdin from a file": lambda w: w.base.with_exec(["wc", "-l"], redirect_stdin="/etc/passwd").stdout(),
    "stdin from a file that is not there": lambda w: w.base.with_exec(
        ["cat"], redirect_stdin="/nope"
    ).stdout(),
    "stdin twice": lambda w: w.base.with_exec(["cat"], stdin="x", redirect_stdin="/etc/passwd").stdout(),
    "stdout to a file": lambda w: _sh(w, "echo x", redirect_stdout="/out").file("/out").contents(),
    "stdout to a file, asked": lambda w: _sh(w, "echo x", redirect_stdout="/out").stdout(),
    "stderr to a file": lambda w: _sh(w, "echo x >&2", redirect_stderr="/a").file("/a").contents(),
    "output to a folder that is not there": lambda w: (
        _sh(w, "echo x", redirect_stdout="/no/out").file("/no/out").contents()
    ),
    "output to a relative path": lambda w: (
        w.base.with_workdir("/tmp")
        .with_exec(["echo", "x"], redirect_stdout="out")
        .file("/tmp/out")
        .contents()
    ),
    "output to a file, and it fails": lambda w: _sh(
        w, "echo out; echo err >&2; exit 1", redirect_stdout="/o"
    ).stdout(),
    "arguments are expanded": lambda w: (
        w.base.with_env_variable("A", "x").with_exec(["echo", "$A", "${A}y"], expand=True).stdout()
    ),
    "arguments are not expanded": lambda w: (
        w.base.with_env_variable("A", "x").with_exec(["echo", "$A"]).stdout()
    ),
    "a file that a step made": lambda w: _sh(w, "echo x > /made").file("/made").contents(),
    "a directory that a step made": lambda w: _sh(w, "mkdir -p /d/e; touch /d/f").directory("/d").glob("**"),
    "what a step removed": lambda w: _sh(w, "rm -r /opt /srv; mkdir /opt").rootfs().exists("srv"),
    "a step sees no other's processes": lambda w: w.shell("set -- /proc/[0-9]*; echo $#"),
    "the name of the first process": lambda w: w.shell("cat /proc/1/comm"),
    "the first process without an init": lambda w: w.base.with_exec(
        ["sh", "-c", "echo $$"], no_init=True
    ).stdout(),
    "capabilities": lambda w: w.shell("grep ^Cap /proc/self/status"),
    "capabilities of a user": lambda w: w.shell("grep ^Cap /proc/self/status", w.base.with_user("nobody")),
    "no new privileges": lambda w: w.shell("grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status"),
    "the host's name": lambda w: w.shell("hostname"),
    "limits": lambda w: w.shell("ulimit -c; ulimit -s"),
    "the umask": lambda w: w.shell("umask"),
    "the devices": lambda w: w.shell("ls /dev"),
    "file systems": lambda w: w.shell("awk '{print $2}' /proc/mounts | grep -v cgroup | sort -u"),
    "the kernel's settings are read-only": lambda w: w.shell("echo 1 > /proc/sys/vm/drop_caches"),
    "mounting is not allowed": lambda w: w.shell("mount -t tmpfs none /mnt"),
    "a raw device is not made": lambda w: w.shell("mknod /tmp/d b 8 0 2>&1; cat /tmp/d"),
    "the hosts file": lambda w: w.shell("head -n 2 /etc/hosts"),
    "no terminal": lambda w: w.shell("test -t 0 || test -t 1 || echo none"),
    "what is left running ends": lambda w: w.shell("sleep 1000 > /dev/null 2>&1 & echo done"),
    "the same step runs once": _once,
    "another variable makes another step": _twice,
    "a step with every capability": lambda w: w.base.with_exec(
        ["sh", "-c", "grep ^CapBnd /proc/self/status"], insecure_root_capabilities=True
    ).stdout(),
    "a volatile variable is seen": lambda w: w.shell("echo $V", w.base.with_volatile_variable("V", "x")),
    "files of a step have its umask": lambda w: (
        _sh(w, "mkdir /d; touch /d/f").directory("/d").stat("f").permissions()
    ),
    "long output": _length,
    "many arguments": lambda w: w.base.with_exec(
        ["sh", "-c", "echo $#", "sh", *map(str, range(2000))]
    ).stdout(),
}
