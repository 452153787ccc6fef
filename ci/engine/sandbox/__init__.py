"""One container process: namespaces, overlayfs and mounts, run by bwrap, as root or as an ordinary user."""

from ci.engine.sandbox.errors import CommandNotExecutable, CommandNotFound, SandboxError, SandboxUnavailable
from ci.engine.sandbox.host import Host, enter
from ci.engine.sandbox.inside import (
    connect_inside,
    datagrams_inside,
    listen_inside,
    listens,
    open_ports,
    run_inside,
)
from ci.engine.sandbox.network import Hub
from ci.engine.sandbox.process import Output, Process, run, start
from ci.engine.sandbox.spec import Bind, Data, Mount, Overlay, OverlayMount, Spec, Tmpfs

__all__ = [
    "Bind",
    "CommandNotExecutable",
    "CommandNotFound",
    "Data",
    "Host",
    "Hub",
    "Mount",
    "Output",
    "Overlay",
    "OverlayMount",
    "Process",
    "SandboxError",
    "SandboxUnavailable",
    "Spec",
    "Tmpfs",
    "connect_inside",
    "datagrams_inside",
    "enter",
    "listen_inside",
    "listens",
    "open_ports",
    "run",
    "run_inside",
    "start",
]
