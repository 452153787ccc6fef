"""Git repositories: refs, commits and trees of one that is served on this machine."""

import os
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import dagger

from tests.parity.world import Pipeline, Room, World

DATE = "2020-01-02T03:04:05+00:00"
NOWHERE = "0" * 40


def _commands(folder: Path) -> Callable[..., str]:
    environ = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (
            ("NAME", "A"), ("EMAIL", "a@b"), ("DATE", DATE))},
    }  # fmt: skip

    def git(*args: str) -> str:
        command = ["git", *args]
        return subprocess.run(
            command, cwd=folder, env=environ, check=True, capture_output=True, text=True
        ).stdout

    return git


def _made(folder: Path) -> None:
    """A repository of three commits: v1.0.0 (with a link and a program), v1.2.0 and a branch beside it."""
    folder.mkdir()
    git = _commands(folder)
    git("init", "-q", "-b", "main")
    (folder / "f").write_text("one\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "l").symlink_to("f")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("tag", "v1.0.0")
    git("branch", "side")
    (folder / "f").write_text("two\n")
    git("commit", "-q", "-a", "-m", "two")
    git("tag", "-a", "-m", "annotated", "v1.2.0")
    git("tag", "v2.0.0-rc.1")
    git("checkout", "-q", "side")
    (folder / "d").mkdir()
    (folder / "d" / "g").write_text("side\n")
    git("add", "-A")
    git("commit", "-q", "-m", "side")
    git("checkout", "-q", "main")


@asynccontextmanager
async def _served(world: World) -> AsyncIterator[str]:
    _made(world.folder / "repository")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    served = [*command, f"--base-path={world.folder}"]
    async with await anyio.open_process(
        served, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as daemon:
        try:
            with anyio.fail_after(20):
                while True:
                    try:
                        async with await anyio.connect_tcp("127.0.0.1", port):
                            break
                    except OSError:
                        await anyio.lowlevel.checkpoint()
            yield f"git://127.0.0.1:{port}/repository"
        finally:
            daemon.terminate()


def _asked(ask: Callable[[dagger.GitRepository], Awaitable[object]]) -> Pipeline:
    async def pipeline(world: World) -> object:
        async with _served(world) as url:
            return await ask(world.dag.git(url))

    return pipeline


async def _tree(ref: dagger.GitRef) -> list[object]:
    tree = ref.tree(discard_git_dir=True)
    return [await tree.glob("**"), await tree.file("f").contents(), await tree.stat("run").permissions()]


def _local(ask: Callable[[dagger.GitRepository], Awaitable[object]]) -> Pipeline:
    async def pipeline(world: World) -> object:
        _made(world.folder / "repository")
        (world.folder / "repository" / "new").write_text("not committed\n")
        (world.folder / "repository" / "run").unlink()
        return await ask(world.dag.host().directory(str(world.folder / "repository")).as_git())

    return pipeline


async def _dirt(repository: dagger.GitRepository) -> list[list[str]]:
    changes = repository.uncommitted()
    return [await changes.added_paths(), await changes.modified_paths(), await changes.removed_paths()]


async def _both(repository: dagger.GitRepository) -> list[str]:
    ancestor = repository.branch("main").common_ancestor(repository.branch("side"))
    return [await ancestor.commit(), await repository.tag("v1.0.0").commit()]


PIPELINES: Room = {
    "the commit of HEAD": _asked(lambda r: r.head().commit()),
    "the ref of HEAD": _asked(lambda r: r.head().ref()),
    "the commit of a branch": _asked(lambda r: r.branch("side").commit()),
    "the ref of a branch": _asked(lambda r: r.branch("side").ref()),
    "the commit of a tag": _asked(lambda r: r.tag("v1.0.0").commit()),
    "the commit of an annotated tag": _asked(lambda r: r.tag("v1.2.0").commit()),
    "the ref of a tag": _asked(lambda r: r.tag("v1.0.0").ref()),
    "a ref by a short name": _asked(lambda r: r.ref("side").ref()),
    "a ref by its full name": _asked(lambda r: r.ref("refs/tags/v1.0.0").commit()),
    "the tags": _asked(lambda r: r.tags()),
    "the tags of a pattern": _asked(lambda r: r.tags(patterns=["v1*"])),
    "the branches": _asked(lambda r: r.branches()),
    "the latest version": _asked(lambda r: r.latest_version().ref()),
    "a branch that is not there": _asked(lambda r: r.branch("nope").commit()),
    "a tag that is not there": _asked(lambda r: r.tag("nope").commit()),
    "a commit that is none": _asked(lambda r: r.commit("nope").tree().entries()),
    "a commit that is not there": _asked(lambda r: r.commit(NOWHERE).tree().entries()),
    "a tree": _asked(lambda r: _tree(r.branch("main"))),
    "a tree of a tag": _asked(lambda r: _tree(r.tag("v1.0.0"))),
    "a tree has its repository": _asked(lambda r: r.branch("side").tree().entries()),
    "the link in a tree": _asked(
        lambda r: r.head().tree().stat("l", do_not_follow_symlinks=True).file_type()
    ),
    "a common ancestor": _asked(_both),
    "a local repository's HEAD": _local(lambda r: r.head().ref()),
    "a local repository's address": _local(lambda r: r.url()),
    "a local repository's tags": _local(lambda r: r.tags()),
    "a local repository's tree": _local(lambda r: _tree(r.tag("v1.0.0"))),
    "what a local repository has not committed": _local(_dirt),
    "what a remote repository has not committed": _asked(_dirt),
    "a directory that is no repository": lambda w: w.tree("a").as_git().head().commit(),
    "a repository that is not there": lambda w: w.dag.git("git://127.0.0.1:1/nope").head().commit(),
    "an address that is none": lambda w: w.dag.git("/nope").head().commit(),
    "an SSH address without an agent": lambda w: w.dag.git("git@nowhere.invalid:a/b").head().commit(),
}
