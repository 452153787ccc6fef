"""Secrets: given to steps, taken out of every output."""

import base64

from tests.parity.world import Room, World

PLAIN = "s3cr3t-value"


def _secret(world: World, plain: str = PLAIN):
    return world.dag.set_secret("name-" + world.unique, plain)


def _with(world: World, plain: str = PLAIN):
    return world.base.with_secret_variable("S", _secret(world, plain))


async def _from_file(world: World, text: str) -> str:
    return await world.dag.secret(f"file://{world.on_host({'secret': text})}/secret").plaintext()


PIPELINES: Room = {
    "a secret's text": lambda w: _secret(w).plaintext(),
    "an empty secret": lambda w: _secret(w, "").plaintext(),
    "a secret's name": lambda w: w.dag.set_secret("a-name", "x").name(),
    "a secret is scrubbed from stdout": lambda w: w.shell('echo "<$S>"', _with(w)),
    "a secret is scrubbed from stderr": lambda w: _with(w).with_exec(["sh", "-c", "echo $S >&2"]).stderr(),
    "a secret is scrubbed over two writes": lambda w: w.shell(
        "printf s3cr3; sleep 0.3; printf 't-value'", _with(w)
    ),
    "a secret is scrubbed from an error": lambda w: w.shell("echo $S; echo $S >&2; exit 1", _with(w)),
    "a secret is not scrubbed from a file": lambda w: (
        _with(w).with_exec(["sh", "-c", "echo $S > /f"]).file("/f").contents()
    ),
    "a secret in another form is not scrubbed": lambda w: w.shell("echo $S | base64", _with(w)),
    "a secret's trailing newline": lambda w: w.shell("echo '<s3cr3t-value>'", _with(w, PLAIN + "\n")),
    "a secret of several lines": lambda w: w.shell("echo one; echo two", _with(w, "one\ntwo")),
    "a secret that is empty scrubs nothing": lambda w: w.shell("echo fine", _with(w, "")),
    "a secret of one letter": lambda w: w.shell("echo axb", _with(w, "x")),
    "a secret within a secret": lambda w: w.shell(
        "echo abcd bc", _with(w, "abcd").with_secret_variable("T", w.dag.set_secret("t" + w.unique, "bc"))
    ),
    "a mounted secret": lambda w: w.shell(
        "stat -c '%a %u:%g %F' /s; wc -c < /s", w.base.with_mounted_secret("/s", _secret(w))
    ),
    "a mounted secret's owner and mode": lambda w: w.shell(
        "stat -c '%a %U:%G' /s", w.base.with_mounted_secret("/s", _secret(w), owner="daemon:mail", mode=0o440)
    ),
    "a mounted secret is scrubbed": lambda w: w.shell("cat /s", w.base.with_mounted_secret("/s", _secret(w))),
    "a mounted secret is no file of the container": lambda w: (
        w.base.with_mounted_secret("/s", _secret(w)).file("/s").contents()
    ),
    "a mounted secret leaves an empty file": lambda w: (
        w.base.with_mounted_secret("/s", _secret(w)).with_exec(["true"]).without_mount("/s").stat("/s").size()
    ),
    "a mounted secret may not be written": lambda w: w.shell(
        "echo x > /s; cat /s | wc -c", w.base.with_mounted_secret("/s", _secret(w))
    ),
    "a secret variable is not among the variables": lambda w: _with(w).env_variable("S"),
    "a secret variable is taken away": lambda w: w.shell(
        'echo "${S-unset}"', _with(w).without_secret_variable("S")
    ),
    "a secret of the environment": lambda w: w.dag.secret("env://PARITY_SECRET").plaintext(),
    "a secret of the environment that is not there": lambda w: w.dag.secret("env://PARITY_NOPE").plaintext(),
    "a secret of the environment that is not there, used": lambda w: w.shell(
        "true", w.base.with_secret_variable("S", w.dag.secret("env://PARITY_NOPE"))
    ),
    "a secret of a file": lambda w: _from_file(w, "x\n"),
    "a secret of a file that is not there": lambda w: w.dag.secret("file:///nope/nope").plaintext(),
    "a secret of a command": lambda w: w.dag.secret("cmd://echo from a command").plaintext(),
    "a secret of a command that fails": lambda w: w.dag.secret("cmd://echo no >&2; exit 3").plaintext(),
    "a secret of a provider that is none": lambda w: w.dag.secret("nope://x").plaintext(),
    "a secret without a provider": lambda w: w.dag.secret("PARITY_SECRET").plaintext(),
    "a secret's address": lambda w: w.dag.secret("env://PARITY_SECRET").uri(),
    "a secret's name by its address": lambda w: w.dag.secret("env://PARITY_SECRET").name(),
    "a secret in base64 goes through": lambda w: w.shell(
        f"echo {base64.b64encode(PLAIN.encode()).decode()} | base64 -d", _with(w)
    ),
}
