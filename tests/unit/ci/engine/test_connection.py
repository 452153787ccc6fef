"""How a client tells a session who it is."""

import base64

import pytest

from ci.engine.connection import client_header, client_named


def test_each_client_has_a_name_of_its_own() -> None:
    first, second = client_header(), client_header()
    assert client_named(first.encode())
    assert client_named(first.encode()) != client_named(second.encode())


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"not base64!",
        *(
            base64.b64encode(text)
            for text in (b"{", b"[]", b"\xff", b"{}", b'{"client_id": 5}', b"[" * 99999)
        ),
    ],
)
def test_a_header_that_names_nobody_is_the_sessions_own_client(header: bytes) -> None:
    assert client_named(header) == ""
