"""Requests out of bytes: the same ones however they are cut, and nothing but a refusal out of nonsense."""

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.traffic.wire.arrivals import Arrivals
from infra.local.traffic.wire.limits import Limits

LIMITS = Limits(head=2000, fields=20, body=3000)
NAMES = st.sampled_from([b"X-A", b"x-b", b"Cookie", b"Upgrade", b"Accept"])
VALUES = st.sampled_from([b"", b"1", b"h2c", b"a, b", b"\xc3\xa9"])
WISH = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"


@st.composite
def requests(draw):
    """One request's bytes, with its method, target and body."""
    target = b"/" + draw(st.text("abc/?=%20", max_size=20)).encode()
    fields = b"".join(b"%s: %s\r\n" % each for each in draw(st.lists(st.tuples(NAMES, VALUES), max_size=4)))
    body = draw(st.binary(max_size=60))
    wish = WISH if draw(st.booleans()) else b""
    if draw(st.booleans()):
        cut = draw(st.integers(0, len(body)))
        chunks = b"".join(
            b"%x;e=1\r\n%s\r\n" % (len(part), part) for part in (body[:cut], body[cut:]) if part
        )
        framing, sent = b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\nT: 1\r\n\r\n"
    else:
        framing, sent = b"Content-Length: %d\r\n" % len(body), body
    head = b"POST %s HTTP/1.1\r\nHost: h\r\n%s%s%s\r\n" % (target, wish, fields, framing)
    return head + sent, (b"POST", target, body)


def feed(pieces):
    found = []
    arrivals = Arrivals(LIMITS, found.append)
    for piece in pieces:
        if not arrivals.ended:
            arrivals.feed(piece)
    return found


@given(st.lists(requests(), min_size=1, max_size=4), st.data())
@settings(max_examples=150)
def test_requests_are_the_same_however_they_are_cut(made, data):
    whole = b"".join(sent for sent, _ in made)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    found = feed(pieces)
    assert [(each.method, each.target, b"".join(each.body)) for each in found] == [said for _, said in made]
    assert all(each.complete and each.refusal is None for each in found)


@given(
    st.lists(
        st.sampled_from([b"GET / HTTP/1.1\r\n", b"Host: h\r\n", b"\r\n", b"\n", b"0", b"5\r\n", b"\0", b": "])
    )
)
@settings(max_examples=200)
def test_nonsense_is_refused_once_and_nothing_follows_it(pieces):
    found = feed(pieces)
    refused = [number for number, each in enumerate(found) if each.refusal is not None]
    assert refused in ([], [len(found) - 1])


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_a_request_or_a_refusal(data):
    for each in feed([data]):
        assert each.refusal is not None or each.host is not None


def test_a_body_over_the_limit_is_refused_wherever_it_is_noticed():
    head = b"POST / HTTP/1.1\r\nHost: h\r\n"
    (said,) = feed([head + b"Content-Length: 3001\r\n\r\n"])
    assert said.refusal.status == 413
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n%s\r\n" % (b"x" * 1000) * 4
    (shown,) = feed([head + chunks])
    assert shown.refusal.status == 413
    assert shown.received <= LIMITS.body


def test_a_websocket_ends_the_requests_and_keeps_what_follows():
    found = []
    arrivals = Arrivals(LIMITS, found.append)
    arrivals.feed(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nmore")
    arrivals.feed(b" of it")
    assert (arrivals.ended, arrivals.rest) == (True, b"more of it")
    assert found[0].websocket
