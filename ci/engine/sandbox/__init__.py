"""One container process: namespaces, overlayfs and mounts, run by bwrap, as root or as an ordinary user."""

from ci.engine.sandbox.berth import Berth, Berths, confinable
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
from ci.engine.sandbox.limits import BadLimit, Group, Groups, Limits, limits
from ci.engine.sandbox.network import GATEWAY, Hub, Network
from ci.engine.sandbox.process import Output, Process, run, start
from ci.engine.sandbox.spec import Bind, Data, Mount, Overlay, OverlayMount, Spec, Tmpfs

__all__ = [
    "GATEWAY",
    "BadLimit",
    "Berth",
    "Berths",
    "Bind",
    "CommandNotExecutable",
    "CommandNotFound",
    "Data",
    "Group",
    "Groups",
    "Host",
    "Hub",
    "Limits",
    "Mount",
    "Network",
    "Output",
    "Overlay",
    "OverlayMount",
    "Process",
    "SandboxError",
    "SandboxUnavailable",
    "Spec",
    "Tmpfs",
    "confinable",
    "connect_inside",
    "datagrams_inside",
    "enter",
    "limits",
    "listen_inside",
    "listens",
    "open_ports",
    "run",
    "run_inside",
    "start",
]
