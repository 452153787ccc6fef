"""Carries UDP datagrams from the host's network into a service's own, and the answers back."""

from __future__ import annotations

import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import ConnectedUDPSocket, UDPSocket

#: As many senders are remembered, to know whose the answers are.
_SENDERS = 256


async def carry(listener: socket.socket, dial: Callable[[], Awaitable[ConnectedUDPSocket]]) -> None:
    """Send on what arrives at ``listener``, from one socket for each sender, until it is cancelled."""
    listener.settimeout(0)
    ways: OrderedDict[tuple[str, int], ConnectedUDPSocket] = OrderedDict()
    async with await UDPSocket.from_socket(listener) as near, anyio.create_task_group() as group:
        async for data, sender in near:
            way = ways.get(sender)
            if way is None:
                try:
                    way = ways[sender] = await dial()
                except OSError:  # the service is gone; a datagram may be lost
                    continue
                group.start_soon(_back, way, near, sender)
                if len(ways) > _SENDERS:
                    await ways.popitem(last=False)[1].aclose()
            ways.move_to_end(sender)
            try:
                await way.send(data)
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                del ways[sender]


async def _back(way: ConnectedUDPSocket, near: UDPSocket, sender: tuple[str, int]) -> None:
    async with way:
        try:
            async for data in way:
                await near.sendto(data, *sender)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
