"""Settings that every gRPC connection of the engine shares."""

from __future__ import annotations

from typing import Final

_LARGEST = 400 * 1024 * 1024

OPTIONS: Final = (
    ("grpc.max_receive_message_length", _LARGEST),
    ("grpc.max_send_message_length", _LARGEST),
    # Programs and plugins are on this machine: no proxy is ever in between.
    ("grpc.enable_http_proxy", 0),
)
"""Messages as large as the SDK's own limit; no proxy."""
