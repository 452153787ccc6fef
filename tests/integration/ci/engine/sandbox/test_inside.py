"""Whoever joins a container is in it, however long it takes to be set up."""

import pytest

# bwrap takes longer for these mounts than whoever joins takes to start.
JOINED = """
place.joinpath("source").mkdir()
mounts = tuple(sandbox.Bind(place / "source", f"/mnt/{number}") for number in range(200))
spec = dataclasses.replace(spec("echo begun; exec sleep 1000"), mounts=mounts, uid=uid)
heard = []

async def joined(pid):
    inside = await sandbox.run_inside(pid, spec, ("sh", "-c", "cat /etc/motd && ls -d /mnt/199"))
    print(inside.exit_code, inside.stdout, inside.stderr, heard, flush=True)
"""
AS_IT_IS_STARTED = """
async def main():
    async with sandbox.start(spec, ignore, ignore, joinable=True) as container:
        await joined(container.pid)
anyio.run(main)
"""
BEFORE_ITS_COMMAND = """
async def main():
    begun = anyio.Event()

    def hear(chunk):
        heard.append(chunk)
        begun.set()

    async with sandbox.start(spec, hear, hear, joined):
        await begun.wait()
        print(heard)
anyio.run(main)
"""
KILLED = """
reach_gate = process.launch.Launched.reach_gate

async def killed(launched, filters):
    os.kill(launched.process.pid, signal.SIGKILL)
    await reach_gate(launched, filters)

process.launch.Launched.reach_gate = killed

async def main():
    async with sandbox.start(spec, ignore, ignore, joinable=True) as container:
        print(await container.wait())
anyio.run(main)
"""
IN = "0 b'welcome\\n/mnt/199\\n' b'' []"


def said(process):
    return process.communicate(timeout=30)[0].decode().splitlines()


@pytest.mark.parametrize(("uid", "init"), [(0, True), (0, False), (1000, True)])
def test_a_joinable_container_has_its_root_once_it_is_started(script, uid, init):
    assert said(script("import dataclasses" + JOINED + AS_IT_IS_STARTED, uid, init)) == [IN]


def test_what_is_done_before_the_command_starts_is_done_in_a_complete_container(script):
    assert said(script("import dataclasses" + JOINED + BEFORE_ITS_COMMAND)) == [IN, "[b'begun\\n']"]


def test_a_container_that_dies_before_it_can_be_joined_has_ended(script):
    assert said(script("import dataclasses" + JOINED + KILLED)) == ["137"]
