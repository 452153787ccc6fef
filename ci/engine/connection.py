"""How a client finds a session: a port of this machine's own and a token, told in one line."""

import base64
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

PORT = "DAGGER_SESSION_PORT"
TOKEN = "DAGGER_SESSION_TOKEN"  # noqa: S105  # a variable's name
#: The header by which a command of Dagger's CLI says which client it is: one session may have several.
CLIENT = "X-Dagger-Client-Metadata"


@dataclass(frozen=True, slots=True)
class Connection:
    """What a client needs to reach a session."""

    port: int
    token: str

    def line(self) -> str:
        """The line by which Dagger's CLI tells an SDK."""
        return json.dumps({"port": self.port, "session_token": self.token})

    def variables(self) -> dict[str, str]:
        """The environment variables by which Dagger's CLI tells a command it runs."""
        return {PORT: str(self.port), TOKEN: self.token}

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read a line; raises ValueError if it is not one."""
        document: Any = json.loads(line)
        try:
            return cls(int(document["port"]), str(document["session_token"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no connection parameters: {line!r}") from error

    @classmethod
    def from_variables(cls, environ: Mapping[str, str]) -> Self | None:
        """Read the environment; None if it names no session."""
        port, token = environ.get(PORT, ""), environ.get(TOKEN, "")
        return cls(int(port), token) if port.isdigit() and token else None


def client_header() -> str:
    """A value of the header for a client that is new to the session."""
    return base64.b64encode(json.dumps({"client_id": os.urandom(16).hex()}).encode()).decode()


def client_named(header: bytes) -> str:
    """The name of a client in such a header; "" if there is none."""
    try:
        document: Any = json.loads(base64.b64decode(header, validate=True))
    except (ValueError, RecursionError):
        return ""
    name = document.get("client_id") if isinstance(document, dict) else None
    return name if isinstance(name, str) else ""


def listen() -> tuple[socket.socket, Connection]:
    """Open a port at random; requests that come before the server is up wait in its queue."""
    # The protocol by name: asyncio turns Nagle's algorithm off (40 ms for each answer) only where it sees it.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    return listener, Connection(listener.getsockname()[1], os.urandom(24).hex())
