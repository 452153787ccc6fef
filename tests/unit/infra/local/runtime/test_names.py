"""The name server of the instances: RFC 1035, as far as a resolver asks it."""

import socket
import struct

import pytest

from infra.local.runtime.network.names import CLOUD, METADATA, reply

A, AAAA, TEXT = 1, 28, 16


def query(name, kind=A, *, flags=0x0100, group=1, more=b""):
    labels = b"".join(bytes([len(label)]) + label for label in name.encode().split(b".")) + b"\0"
    return struct.pack(">HHHHHH", 7, flags, 1, 0, 0, 0) + labels + struct.pack(">HH", kind, group) + more


async def ask(*args, **how):
    answer = await reply(query(*args, **how))
    number, flags, questions, answers, *_ = struct.unpack_from(">HHHHHH", answer)
    assert (number, questions) == (7, 1)
    assert flags & 0x8180 == 0x8180  # a response, recursion asked for and there
    rows = [answer[len(answer) - 16 * (answers - at) :][:16] for at in range(answers)]
    return flags & 0xF, [socket.inet_ntoa(row[-4:]) for row in rows]


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("metadata.google.internal", METADATA),
        ("Metadata.Google.Internal", METADATA),
        ("web-abc.europe-west1.run.localhost", CLOUD),
        ("tag---web-abc.europe-west1.run.localhost", CLOUD),
    ],
)
async def test_names_of_the_cloud_are_its_own(name, address):
    assert await ask(name) == (0, [address])


async def test_there_are_no_ipv6_addresses_and_that_is_no_error():
    assert await ask("web.run.localhost", AAAA) == (0, [])
    assert await ask("web.run.localhost", TEXT) == (0, [])


async def test_this_machine_s_own_loopback_is_nobody_s_address():
    assert await ask("localhost") == (3, [])


async def test_a_name_that_this_machine_does_not_know_has_no_address():
    code, found = await ask("there-is-no-such-name.invalid")
    assert (code in {2, 3}, found) == (True, [])


async def test_a_resolver_that_offers_edns_is_answered():
    more = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
    assert await ask("web.run.localhost", more=more) == (0, [CLOUD])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        query("web.localhost", flags=0x8180),  # an answer
        query("web.localhost")[:-3],
        query("web.localhost")[:12] + b"\xc0\x0c\0\1\0\1",  # a pointer to itself
        query("web.localhost")[:12] + b"\x3fa",
    ],
)
async def test_what_is_no_question_gets_no_answer(data):
    assert await reply(data) == b""
