"""Where a container is started from: a thread that already is where the container is to be.

A process is born with the capability bounding set, the network and (in version 1) the control groups of the
thread that starts it. Entering those takes longer than starting the process, so a thread stays in
them and is used again. It lives on as it must: the kernel ends a container with the thread that started it.
"""

import resource
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache

import anyio
import anyio.to_thread

from ci.engine.sandbox import kernel
from ci.engine.sandbox.command import CAPABILITIES
from ci.engine.sandbox.limits import UNLIMITED, Group, Limits
from ci.engine.sandbox.limits.values import MEMORY, PROCESSES
from ci.engine.sandbox.spec import Spec

Started = subprocess.Popen[bytes]

_LOOK = 1.0  # seconds between two looks at a container
_PATIENCE = 5  # looks in a row at which it wanted more processes than it may have


@dataclass(slots=True)
class Berth:
    """One such thread.

    ``namespace`` is the file of its network's namespace, and ``address`` its own there; "" is the host's.
    A ``confined`` one starts containers that can gain no more capabilities than an ordinary one has. Without
    a ``group`` each process is limited by itself, as far as that goes.
    """

    confined: bool
    group: Group | None = None
    namespace: str = ""
    address: str = ""
    limits: Limits = UNLIMITED
    _thread: ThreadPoolExecutor = field(init=False)
    _ended: bool = False

    def __post_init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "berth", initializer=self._settle)

    def _settle(self) -> None:
        if self.namespace:
            kernel.enter_network(self.namespace)
        if self.group is not None:
            with suppress(OSError):
                self.group.join()
        if self.confined:
            with suppress(OSError):  # the engine has few capabilities itself, and so have its steps
                kernel.bound_capabilities(frozenset(CAPABILITIES.values()))

    def start(self, work: Callable[[], Started]) -> Started:
        """Do what starts a process there. Blocking, for as long as it takes to execute it."""
        return self._thread.submit(work).result()

    def hold(self, limits: Limits) -> None:
        """Set the limits of the container that is started next."""
        self.limits, self._ended = limits, False
        if self.group is not None:
            self.group.hold(limits)

    def admit(self, pid: int) -> None:
        """Limit the first process of the container, which waits, and with it all that are to come."""
        if self.group is not None:
            with suppress(OSError):
                self.group.admit(pid)
            return
        for which, most in (
            (resource.RLIMIT_NPROC, self.limits.processes),
            (resource.RLIMIT_DATA, self.limits.memory),
        ):
            with suppress(OSError, ValueError):  # a lower one that it has is none of ours
                if most is not None:
                    resource.prlimit(pid, which, (most, most))

    @asynccontextmanager
    async def guarded(self, end: Callable[[], None]) -> AsyncIterator[None]:
        """``end`` the container if it goes on asking for processes that it may not have: it never will."""
        if self.group is None or self.limits.processes is None:
            yield
            return
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, self.group, end)
            try:
                yield
            except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # raised below
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:  # by itself: out of the task group it would come as a group
            raise failure

    async def _watch(self, group: Group, end: Callable[[], None]) -> None:
        before, refused = 0, 0
        while refused < _PATIENCE:
            await anyio.sleep(_LOOK)
            now = group.refused()
            refused = refused + 1 if now > before else 0
            before = now
        self._ended = True
        end()

    def complaints(self) -> list[str]:
        """Which limits the container ran into, for people."""
        found = []
        if self.group is not None and self.group.refused():
            ended = ", and was ended for it" if self._ended else ""
            found.append(
                f"wanted more than {self.limits.processes} processes at once{ended}; {PROCESSES} is the limit"
            )
        if self.group is not None and self.group.killed():
            size = f"{(self.limits.memory or 0) / (1 << 20):,.0f} MiB"
            found.append(
                f"took more than {size} of memory, and the kernel killed a process; {MEMORY} is the limit"
            )
        return found

    def close(self) -> None:
        """End the thread, and whatever container it started last."""
        self._thread.shutdown()
        if self.group is not None:
            self.group.remove()


def confinable(spec: Spec) -> bool:
    """Whether a container may be started from a confined berth: one with every capability may not."""
    return not spec.privileged


@cache
def anywhere(*, confined: bool) -> Berth:
    """The berth for containers without limits on the host's network; many may be started from it."""
    return Berth(confined)


@dataclass(slots=True)
class Berths:
    """Berths of one kind, to be used again and again; ``make`` is called for more of them, and may block."""

    make: Callable[[bool], Berth]
    _free: list[Berth] = field(default_factory=list)
    _made: list[Berth] = field(default_factory=list)

    @asynccontextmanager
    async def one(self, limits: Limits, *, confined: bool) -> AsyncIterator[Berth]:
        """A berth for a container; nothing of that may be left at the end.

        Raises:
            OSError: there is none free, and no more can be made.
        """
        berth = next((each for each in reversed(self._free) if each.confined == confined), None)
        if berth is None:
            berth = await anyio.to_thread.run_sync(self.make, confined)
            self._made.append(berth)
        else:
            self._free.remove(berth)
        try:
            berth.hold(limits)
            yield berth
        finally:
            if confined:
                self._free.append(berth)
            else:  # who knows what a container with every capability has made of its network
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(berth.close)
                self._made.remove(berth)

    def close(self) -> None:
        """Give them all up. Blocking."""
        for berth in self._made:
            berth.close()
        self._made.clear()
        self._free.clear()
