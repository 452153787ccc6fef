"""A session's network, as root and as an ordinary user: a place for each, and rules who reaches whom."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROCESS = str(Path(__file__).parents[1] / "network_process.py")
KINDS = {"as_root": {"veth"}, "as_user": {"pasta", "slirp4netns", ""}}


def outer_address():
    """An address of this host's that is not its loopback; "" when it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))
        except OSError:
            return ""
        return probe.getsockname()[0]


@pytest.fixture(scope="module", params=["as_root", "as_user"])
def said(request):
    engine = request.getfixturevalue(request.param)
    with engine.python(PROCESS, outer_address()) as process:
        told = json.load(process.stdout)
    return {"engine": request.param, **told}


def test_each_place_has_an_address_and_one_way_out_of_its_own(said):
    assert said["links"] == ["eth0", "lo"]
    assert len(set(said["addresses"])) == 2


def test_places_reach_each_other_when_they_are_let_and_else_not(said):
    assert said["bound"] == "reached"
    assert said["unbound"] != "reached"  # but "No route to host", if the kernel still has patience to say so
    assert said["unbound again"] != "reached"


def test_what_is_led_to_the_host_is_reached_by_those_who_are_let_alone(said):
    assert said["host's, bound"] == "reached"
    assert said["host's, unbound"] != "reached"


def test_a_network_says_how_it_leads_out_or_why_it_does_not(said):
    assert said["way out"] in KINDS[said["engine"]]
    assert bool(said["way out"]) != bool(said["reason"])


def test_the_outside_is_reached_where_the_network_leads_out(said):
    if said["way out"] and "outside" in said:
        assert said["outside"] == "reached"


@pytest.mark.parametrize("name", ["as_root", "as_user"])
def test_nothing_is_left_of_a_network_whose_engine_was_killed(request, name):
    engine = request.getfixturevalue(name)
    with engine.python(PROCESS, "", "wait") as process:
        said = json.loads(process.stdout.readline())
        below = _below(process.pid)
        os.kill(process.pid if name == "as_root" else below[0], signal.SIGKILL)  # bwrap is above a user's
        process.wait()
    ends = time.monotonic() + 10
    while (left := _left(said, below)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert left == []


def _below(pid):
    """The processes below one."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    children = [int(word) for word in found.stdout.split()]
    return [*children, *(each for child in children for each in _below(child))]


def _left(said, processes):
    links = {name for _, name in socket.if_nameindex()}
    return [each for each in said["new links"] if each in links] + [pid for pid in processes if _runs(pid)]


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


WAITING = """
import os
from ci.engine import sandbox
from ci.engine.sandbox.network.hub import founded, loopback_up, visit
from ci.engine.sandbox.network.netlink import LINKS, await_change

sandbox.enter()
network = f"/proc/self/fd/{founded(lambda: None)}"
looks = []

def look():
    looks.append(len(looks))
    if len(looks) == 1:
        visit(network, loopback_up)
    return len(looks) == 2

def wait(*waiting):
    visit(network, lambda: print(await_change(LINKS, *waiting)))

wait(look, 60)
wait(lambda: False, 0.01)
over, end = os.pipe()
os.write(end, b".")
wait(lambda: False, 60, over)
"""


def test_a_change_of_a_network_is_waited_for_until_it_comes_or_it_is_too_late(engine):
    told = engine.python("-c", WAITING).communicate(timeout=30)[0]
    assert told.decode().splitlines() == ["True", "False", "False"]
