"""A process that makes a network with two places in it, tries who reaches whom, and says it in JSON."""

import json
import os
import socket
import sys
import threading

from ci.engine import sandbox
from ci.engine.sandbox.network import visit


def at(namespace, work):
    """What ``work`` gives inside a network, or the name of its error."""
    found = []

    def run():
        try:
            found.append(work())
        except OSError as error:
            found.append(type(error).__name__ if error.errno is None else os.strerror(error.errno))

    visit(namespace, run)
    return found[0]


def reach(host, port):
    with socket.create_connection((host, port), timeout=1):
        return "reached"


def links():
    return sorted(name for _, name in socket.if_nameindex())


def main():
    host = sys.argv[1]
    sandbox.enter()
    outside = socket.create_server((host, 0)) if host else None
    network = sandbox.Network()
    (one, here), (other, there) = network.place(), network.place()
    server = at(there, lambda: socket.create_server((other, 8000)))
    said = {"way out": network.way_out, "reason": network.reason, "addresses": [one, other]}
    said["links"] = at(here, links)
    said["unbound"] = at(here, lambda: reach(other, 8000))
    network.rules.allow(one, other)
    said["bound"] = at(here, lambda: reach(other, 8000))
    network.rules.forbid(one, other)
    said["unbound again"] = at(here, lambda: reach(other, 8000))
    network.take("253.64.0.9")
    own = at(network.hub.namespace, lambda: socket.create_server(("253.64.0.9", 8000)))
    said["host's, unbound"] = at(here, lambda: reach("253.64.0.9", 8000))
    network.rules.allow(one, "253.64.0.9", here=True)
    said["host's, bound"] = at(here, lambda: reach("253.64.0.9", 8000))
    if outside is not None:
        said["outside"] = at(here, lambda: reach(host, outside.getsockname()[1]))
    said["new links"] = [name for name in links() if name.startswith(f"ship{os.getpid():x}-")]
    print(json.dumps(said), flush=True)
    if "wait" in sys.argv:
        threading.Event().wait()
    for each in (server, own):
        each.close()
    network.close()


if __name__ == "__main__":
    main()
