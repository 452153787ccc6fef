"""What a process is shown: its root, its mounts, its environment, its user - and where its writes go."""

from __future__ import annotations

import contextlib
import posixpath
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ci.engine import sandbox
from ci.engine.errors import EngineError, NotStarted
from ci.engine.graph.container import DEFAULT_PATH, Mount
from ci.engine.graph.host.hostsettings import CA_TARGET
from ci.engine.graph.serving.harbour import RESOLVER
from ci.engine.graph.steps import users
from ci.engine.graph.steps.execution import Exec, Given
from ci.engine.graph.steps.mounting import Mounting, overlay
from ci.engine.store import algebra
from ci.engine.store.store import Store
from ci.engine.store.tree import DIRECTORY, REGULAR, Entry, Snapshot
from ci.engine.trace import Place

if TYPE_CHECKING:
    from ci.engine.graph.evaluator import Evaluator
    from ci.engine.graph.steps.surroundings import Surroundings

Hosts = tuple[tuple[str, str], ...]

#: What a process's host is called, as Dagger's own engine has it.
HOSTNAME = "dagger"


@dataclass(slots=True)
class Prepared:
    """A process ready to start, and where what it writes will be found."""

    spec: sandbox.Spec
    folder: Path
    given: Given
    upper: Path
    mount_uppers: dict[int, Path]
    mount_files: dict[int, Path]
    secrets: tuple[bytes, ...]


@contextlib.asynccontextmanager
async def prepared(
    evaluator: Evaluator,
    surroundings: Surroundings,
    step: Exec,
    given: Given,
    *,
    hosts: Hosts,
    berth: sandbox.Berth | None = None,
    own_network: bool = False,
) -> AsyncIterator[Prepared]:
    """Set up everything a step's process sees; its scratch space is deleted afterwards.

    ``hosts`` are (address, name) pairs for ``/etc/hosts``, beside those of the session's services that
    everybody may reach. It is to be started from ``berth``; with ``own_network`` it has one in any case.

    Raises:
        NotStarted: the step's user can't be had, or the file that it reads.
        EngineError: a secret of its can't be had.
    """
    store = evaluator.store
    async with contextlib.AsyncExitStack() as stack:
        folder = store.scratch()
        stack.callback(store.discard, folder)
        _check_redirects(store, step, given)
        account = _account(store, given.rootfs, step)
        mounting = Mounting(evaluator, surroundings.reveal, given, folder)
        environment, plaintexts = await _environment(surroundings, step, account.home, evaluator.events.here)
        address = berth.address if berth is not None else ""
        book = surroundings.services.book(
            folder / "hosts", hosts, inside=own_network or bool(address), address=address
        )
        stack.enter_context(book)
        shown = _base_mounts(
            surroundings,
            (folder / "hosts", _resolver(surroundings, folder, own=bool(address))),
            store,
            given.rootfs,
        )
        for index, mount in _outermost_first(step.mounts):
            shown.append(await mounting.show(stack, index, mount))
        spec = sandbox.Spec(
            root=overlay(folder, "root", await evaluator.in_thread(store.show, given.rootfs)),
            args=step.args,
            env=tuple(environment.items()),
            cwd=step.cwd,
            uid=account.owner.uid,
            gid=account.owner.gid,
            groups=account.groups,
            mounts=tuple(shown),
            hostname=HOSTNAME,
            stdin=await _stdin(evaluator, surroundings, step, given),
            init=step.init,
            privileged=step.privileged,
            own_network=own_network,
        )
        plaintexts += [*mounting.plaintexts, *surroundings.settings.secrets]
        yield Prepared(
            spec, folder, given, spec.root.upper, mounting.uppers, mounting.files, tuple(plaintexts)
        )


def _resolver(surroundings: Surroundings, folder: Path, *, own: bool) -> Path:
    """The file that says how a process resolves names."""
    text = surroundings.services.harbour.resolver
    if text is None or not own:
        return RESOLVER
    (folder / "resolv.conf").write_text(text, encoding="utf-8")
    return folder / "resolv.conf"


def _account(store: Store, rootfs: Snapshot, step: Exec) -> users.Account:
    try:
        return users.account(store, rootfs, step.user)
    except EngineError as error:
        raise NotStarted(step.args, f"get user: {error}") from error


def _outermost_first(mounts: tuple[Mount, ...]) -> list[tuple[int, Mount]]:
    """Mounts by position, in the order to make them: what only steps see is put over the others."""
    return sorted(enumerate(mounts), key=lambda row: (row[1].overlaid, row[1].target.rstrip("/").count("/")))


def _base_mounts(
    surroundings: Surroundings, files: tuple[Path, Path], store: Store, rootfs: Snapshot
) -> list[sandbox.Mount]:
    mounts: list[sandbox.Mount] = []
    if surroundings.settings.bundle is not None:
        mounts.append(sandbox.Bind(surroundings.settings.bundle, CA_TARGET, readonly=True))
    etc = algebra.lookup(store.trees, rootfs.tree, "/etc")
    if etc is None or etc.kind != DIRECTORY:
        return mounts
    listing = store.trees.load(etc.digest)
    for name, source in zip(("hosts", "resolv.conf"), files, strict=True):
        there = listing.get(name)
        if source.is_file() and (there is None or there.kind == REGULAR):
            mounts.append(sandbox.Bind(source.resolve(), f"/etc/{name}"))
    return mounts


async def _environment(
    surroundings: Surroundings, step: Exec, home: str, place: Place
) -> tuple[dict[str, str], list[bytes]]:
    """The process's variables, and the secrets among their values."""
    env = {"PATH": DEFAULT_PATH, "HOME": home, "TRACEPARENT": place.traceparent}
    env.update(surroundings.settings.variables)
    if step.nesting:
        env.update(surroundings.session_variables)
    env.update(step.env)
    env.update(step.volatile_env)
    plaintexts = []
    for name, secret in step.secret_env:
        plaintext = await surroundings.reveal(secret)
        plaintexts.append(plaintext)
        env[name] = plaintext.decode(errors="surrogateescape")
    return env, plaintexts


async def _stdin(evaluator: Evaluator, surroundings: Surroundings, step: Exec, given: Given) -> bytes | None:
    if not step.redirect_stdin:
        return step.stdin.encode("utf-8", "surrogateescape") if step.stdin else None
    path = posixpath.normpath(posixpath.join(step.cwd, step.redirect_stdin))
    for mount in step.mounts:
        if mount.secret is not None and mount.target == path:
            return await surroundings.reveal(mount.secret)
    return await evaluator.in_thread(_stored, evaluator.store, step, given, path)


def _found(store: Store, step: Exec, given: Given, path: str) -> Entry | None:
    """What a step would find at ``path``."""
    tree, inner = given.rootfs.tree, path
    for index, snapshot in given.mounts.items():
        mount = step.mounts[index]
        if mount.covers(path):
            tree, inner = snapshot.tree, path.removeprefix(mount.target.rstrip("/")) or "/file"
    return algebra.lookup(store.trees, tree, inner)


def _check_redirects(store: Store, step: Exec, given: Given) -> None:
    """NotStarted when a step's output is to go to a folder that is not there."""
    for stream, path in (("stdout", step.redirect_stdout), ("stderr", step.redirect_stderr)):
        target = posixpath.normpath(posixpath.join(step.cwd, path))
        folder = posixpath.dirname(target)
        unseen = any(m.covers(folder) for index, m in enumerate(step.mounts) if index not in given.mounts)
        if not path or unseen or folder in {"/", step.cwd} or any(m.target == folder for m in step.mounts):
            continue
        if _found(store, step, given, folder) is None:
            said = f"open redirect {stream} file: open {target}: no such file or directory"
            raise NotStarted(step.args, said)


def _stored(store: Store, step: Exec, given: Given, path: str) -> bytes:
    """The content of a file that a step would find at ``path``."""
    entry = _found(store, step, given, path)
    if entry is None or entry.kind != REGULAR:
        raise NotStarted(step.args, f"open redirect stdin file: open {path}: no such file or directory")
    return store.read(entry.digest)
