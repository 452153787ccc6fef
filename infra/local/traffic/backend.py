"""What the proxy asks of whoever runs the instances."""

import socket
from typing import Protocol


class NoInstance(Exception):
    """All instances are busy and no further one may start: the request is answered with 429."""


class Unavailable(Exception):
    """There is no such revision any more, or no instance of it could be started: answered with 503."""


class Slot(Protocol):
    """A place for one request at an instance; it is taken until leave() is called."""

    @property
    def instance(self) -> str:
        """The instance's id."""

    @property
    def timeout(self) -> float:
        """Seconds that a request may take."""

    async def dial(self) -> socket.socket:
        """A new TCP connection to the instance, non-blocking. Raises OSError."""

    def condemn(self) -> None:
        """Say that nobody listens at the instance: it gets no further request, and a successor."""

    def leave(self) -> None:
        """Give the place back."""


class Backend(Protocol):
    """Gives places at instances to requests."""

    async def claim(self, revision_key: str, instance: str = "") -> Slot:
        """A place at an instance of a revision, at the named one when it has room; waits for one.

        Raises NoInstance, Unavailable.
        """

    def populations(self) -> dict[str, tuple[int, int]]:
        """For each revision, how many instances it has and how many requests wait for one."""
