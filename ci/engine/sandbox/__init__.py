"""One container process: namespaces, overlayfs and mounts, run by bwrap, as root or as an ordinary user.

Its rooms are imported when they are first used: an engine enters its namespaces long before it runs a step.
"""

from typing import TYPE_CHECKING

from ci.engine.partial import named

if TYPE_CHECKING:
    from ci.engine.sandbox.berth import Berth, Berths, confinable
    from ci.engine.sandbox.errors import (
        CommandNotExecutable,
        CommandNotFound,
        SandboxError,
        SandboxUnavailable,
    )
    from ci.engine.sandbox.host import Host, enter
    from ci.engine.sandbox.inside import (
        connect_inside,
        datagrams_inside,
        listen_inside,
        listens,
        open_ports,
        run_inside,
    )
    from ci.engine.sandbox.limits import BadLimit, Group, Groups, Limits
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
    "listen_inside",
    "listens",
    "open_ports",
    "run",
    "run_inside",
    "start",
]

if not TYPE_CHECKING:  # to which all names are known, and no others
    __getattr__ = named(
        __name__,
        {
            "Berth": "berth",
            "Berths": "berth",
            "confinable": "berth",
            "CommandNotExecutable": "errors",
            "CommandNotFound": "errors",
            "SandboxError": "errors",
            "SandboxUnavailable": "errors",
            "Host": "host",
            "enter": "host",
            "connect_inside": "inside",
            "datagrams_inside": "inside",
            "listen_inside": "inside",
            "listens": "inside",
            "open_ports": "inside",
            "run_inside": "inside",
            "BadLimit": "limits",
            "Group": "limits",
            "Groups": "limits",
            "Limits": "limits",
            "GATEWAY": "network",
            "Hub": "network",
            "Network": "network",
            "Output": "process",
            "Process": "process",
            "run": "process",
            "start": "process",
            "Bind": "spec",
            "Data": "spec",
            "Mount": "spec",
            "Overlay": "spec",
            "OverlayMount": "spec",
            "Spec": "spec",
            "Tmpfs": "spec",
        },
    )
