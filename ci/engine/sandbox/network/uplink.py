"""A way out of a network of ours: the host's kernel as root, else a program that carries what goes out."""

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ci.engine.sandbox import kernel
from ci.engine.sandbox.berth import anywhere
from ci.engine.sandbox.network.hub import BRIDGE, Hub, default_gateway, give_address, lay_cable, visit
from ci.engine.sandbox.network.netfilter import forwarding_dropped, masquerade
from ci.engine.sandbox.network.netlink import ROUTES, await_change

_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_OUTWARD = "out"
_LINKS = "253.255"  # of the range that the containers have too, beyond theirs: reserved (RFC 1112)
_MANY = 1 << 14
_PATIENCE = 5.0  # seconds for a program to start
_SLIRP = "slirp4netns"
_PASTA = "pasta"
_PASTA_SINCE = 2024
_YEAR = re.compile(r"20\d\d")


class NoWayOut(Exception):
    """This host has none for us; the text says why."""


@dataclass(slots=True)
class Uplink:
    """A way out, until it is closed. ``kind`` names it; ``mtu`` is the largest packet, 0 as usual."""

    kind: str
    mtu: int
    closing: ExitStack

    def close(self) -> None:
        """Give it up."""
        self.closing.close()


def lead_out(hub: Hub, containers: str, prefix: int) -> Uplink:
    """Lead a hub's network out, whose ``containers`` are at these addresses. Blocking.

    Raises:
        NoWayOut: there is none.
    """
    reasons = []

    def route() -> None:
        stack.callback(masquerade(containers, prefix, within=BRIDGE).close)
        _FORWARD.write_text("1", encoding="ascii")

    for way in (_through_the_kernel, _through_pasta, _through_slirp):
        with ExitStack() as stack:
            try:
                visit(hub.namespace, route)
                kind, mtu = way(hub, stack)
            except (OSError, NoWayOut) as error:
                reasons.append(f"{way.__name__.rpartition('_')[2]}: {error}")
                continue
            return Uplink(kind, mtu, stack.pop_all())
    raise NoWayOut("; ".join(reasons))


def _through_the_kernel(hub: Hub, stack: ExitStack) -> tuple[str, int]:
    """A cable to the host, which forwards what comes and gives it its own address."""
    if forwarding_dropped():
        raise NoWayOut("a firewall of this host drops what it would forward")
    number = secrets.randbelow(_MANY)
    third, fourth = divmod(number * 4, 256)
    there, here = f"{_LINKS}.{third}.{fourth + 1}", f"{_LINKS}.{third}.{fourth + 2}"
    name = f"ship{os.getpid():x}-{number:x}"  # of 15 characters at most
    stack.callback(masquerade(here).close)
    if _FORWARD.read_text(encoding="ascii").strip() != "1":
        _FORWARD.write_text("1", encoding="ascii")
    host = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    mtu = _host_mtu()
    try:
        visit(hub.namespace, lambda: lay_cable(_OUTWARD, name, host, mtu=mtu))
    finally:
        os.close(host)
    give_address(name, there, 30)

    def lead() -> None:
        give_address(_OUTWARD, here, 30)
        default_gateway(_OUTWARD, there)

    visit(hub.namespace, lead)
    return "veth", mtu


def _host_mtu() -> int:
    """The largest packet that the host's way out takes; 0 where it has none."""
    rows = [row.split() for row in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]]
    device = next((row[0] for row in rows if row[1] == "00000000"), "")
    try:
        return int(Path("/sys/class/net", device, "mtu").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _through_pasta(hub: Hub, stack: ExitStack) -> tuple[str, int]:
    """Through pasta: it copies the host's addresses and routes, and connects in its own network."""
    if not _new_enough():
        raise NoWayOut("not installed, or older than 2024: its answers do not survive our translation")
    namespace = _lent(hub, stack)
    options = ["--foreground", "--quiet", "--config-net", "--netns-only", "--no-netns-quit", "--no-map-gw"]
    options += [word for way in "tuTU" for word in (f"-{way}", "none")]
    process = _carrier(_PASTA, [*options, "--netns", namespace], stack)
    _await_way_out(hub, process)
    return _PASTA, 0


def _new_enough() -> bool:
    """Whether the pasta that is installed acknowledges every segment, as connection tracking wants it."""
    program = shutil.which(_PASTA)
    if program is None:
        return False
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    year = _YEAR.search(told.stdout)
    return year is not None and int(year[0]) >= _PASTA_SINCE


def _through_slirp(hub: Hub, stack: ExitStack) -> tuple[str, int]:
    """Through slirp4netns: it has a network of its own, with addresses that it hands out."""
    namespace = _lent(hub, stack)
    options = ["--configure", "--mtu=65520", "--disable-host-loopback", "--netns-type=path"]
    process = _carrier(_SLIRP, [*options, namespace, "tap0"], stack)
    _await_way_out(hub, process)
    return _SLIRP, 0


def _lent(hub: Hub, stack: ExitStack) -> str:
    """A file by which a program with fewer rights than ours finds the hub's network."""
    # pylint: disable-next=consider-using-with  # the caller's stack has it
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="shipway-net-"))
    file = Path(folder, "net")
    file.touch()
    kernel.mount(hub.namespace, file, None, kernel.MS_BIND)
    stack.callback(kernel.unmount, file)
    return str(file)


def _carrier(name: str, options: list[str], stack: ExitStack) -> subprocess.Popen[bytes]:
    """Start a program that carries what goes out, and ends with this process however that ends."""
    program, keeper = shutil.which(name), shutil.which("setpriv")
    if program is None or keeper is None:
        raise NoWayOut("not installed")

    def started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [keeper, "--pdeathsig", "KILL", "--", program, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    # From a thread that stays: the kernel ends the program with the one that started it.
    process = stack.enter_context(anywhere(confined=False).start(started))
    stack.callback(process.kill)
    return process


def _await_way_out(hub: Hub, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program has led a network out; NoWayOut when it gave up."""
    led = False

    def leads_out() -> bool:
        rows = Path("/proc/thread-self/net/route").read_text(encoding="ascii").splitlines()[1:]
        return any(row.split()[1] == "00000000" for row in rows)

    def wait() -> None:
        nonlocal led
        led = await_change(ROUTES, leads_out, _PATIENCE, over=ended)

    ended = os.pidfd_open(process.pid)
    try:
        visit(hub.namespace, wait)
    finally:
        os.close(ended)
    if not led:
        raise NoWayOut("it did not start here")
