"""The user's terminal, lent to a container: for ``terminal``, and where a command failed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from ci.engine import sandbox
from ci.engine.errors import EngineError
from ci.engine.events import Events, TerminalClosed, TerminalOpened
from ci.engine.sandbox.terminal import terminal

#: What Dagger's own engine says where its client has no terminal to lend.
_NO_TERMINAL = "running shell without the TUI is not supported"
_SILENT = "running shell in silent mode is not supported"
#: The prompt of a shell, as Dagger's own engine has it: who it is, and where.
_PROMPT = '\x1b[33mdagger\x1b[0m \x1b[2m$(pwd | sed "s|^$HOME|~|")\x1b[0m $ '
_YELLOW, _RED, _PLAIN = "\x1b[33m", "\x1b[31m", "\x1b[0m"


@dataclass(eq=False)
class Lending:
    """The terminal of a session's user, lent to one container at a time.

    ``descriptor`` is None where there is none, or where nothing may be shown (``silent``). ``on_failure`` is
    what to run in a container whose own command failed, empty for nothing.
    """

    events: Events
    descriptor: int | None = None
    silent: bool = False
    on_failure: tuple[str, ...] = ()
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    def check(self) -> int:
        """The terminal, whose turn it may not be yet; EngineError where there is none."""
        if self.descriptor is None:
            reason = _SILENT if self.silent else _NO_TERMINAL
            opening = "failed to open terminal: failed to open terminal: rpc error: code = Unknown desc"
            raise EngineError(f"{opening} = {reason}")
        return self.descriptor

    async def open(self, title: str, work: Callable[[int], Awaitable[int]], error: str | None = None) -> None:
        """Lend the terminal to ``work``, which gives an exit code; ``error`` is what it is to look into.

        Raises:
            EngineError: there is no terminal, or none can be had in the container.
        """
        user = self.check()
        async with self._lock:
            self.events.emit(TerminalOpened())
            try:
                await anyio.to_thread.run_sync(_write, user, _heading(title, error))
                code = await work(user)
                await anyio.to_thread.run_sync(_write, user, f"exit {code}\n")
            except sandbox.SandboxError as failure:
                raise EngineError(f"terminal session failed: {failure}") from failure
            finally:
                self.events.emit(TerminalClosed())

    async def after(self, spec: sandbox.Spec, error: EngineError, berth: sandbox.Berth) -> None:
        """Lend the terminal to a container as a command left it that failed, if the user wants that.

        Raises:
            EngineError: there is no terminal.
        """
        if not self.on_failure:
            return
        shell = on_terminal(replace(_again(spec), args=self.on_failure))
        await self.open(shlex.join(spec.args), lambda user: terminal(shell, user, berth), error.message)


def _again(spec: sandbox.Spec) -> sandbox.Spec:
    """A container with what another one has written; only overlayfs's own folders must be new."""

    def fresh(overlay: sandbox.Overlay) -> sandbox.Overlay:
        return replace(overlay, work=overlay.work.with_name(f"{overlay.work.name}.again"))

    mounts = tuple(
        replace(mount, overlay=fresh(mount.overlay)) if isinstance(mount, sandbox.OverlayMount) else mount
        for mount in spec.mounts
    )
    return replace(spec, root=fresh(spec.root), mounts=mounts)


def on_terminal(spec: sandbox.Spec) -> sandbox.Spec:
    """A process as it is on a terminal: with a prompt, and a terminal's name unless it has one."""
    env = {"TERM": "xterm", **dict(spec.env), "PS1": _PROMPT}
    return replace(spec, env=tuple(env.items()))


def _heading(title: str, error: str | None) -> str:
    lead = f"{_YELLOW}●{_PLAIN} Attaching terminal: "
    if error is not None:
        lead = f"{_RED}✘{_PLAIN} Exec failed, attaching terminal: "
    lines = [lead, f"    {title}"]
    if error is not None:
        lines.append(f"{_YELLOW}! {error}{_PLAIN}")
    return "".join(f"{line}\n" for line in lines)


def _write(descriptor: int, text: str) -> None:
    sys.stderr.flush()
    with open(descriptor, "w", encoding="utf-8", closefd=False) as screen:
        screen.write(text)
