"""How the service listens."""

import socket

from app.serving.__main__ import _listen


def test_a_connection_sends_what_it_has_and_waits_for_no_acknowledgement() -> None:
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
