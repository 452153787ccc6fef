"""``python -m app.serving --model DIR``: serves a trained model until SIGTERM or SIGINT."""

import argparse
import os
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from app.errors import AppError
from app.serving.api import create_app

DEFAULT_PORT = 8080
DRAIN_SECONDS = 8
"""Time for requests under way after SIGTERM; Cloud Run kills after 10."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after a signal, 1 when there is no model to serve, 2 for a wrong option."""
    options = _parse(arguments)
    failures: list[AppError] = []

    def load() -> object:
        from app.serving.artifacts import read_artifacts

        return read_artifacts(options.model)

    def give_up(error: AppError) -> None:
        failures.append(error)
        server.should_exit = True

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(load, give_up),
            # Standard output is for decision records alone.
            access_log=False,
            log_level="warning",
            ws="none",
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    # uvicorn drains on a signal and then raises it again for whoever handled it before: being told to stop
    # and stopping is no failure, so here nobody does anything more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        listener = _listen(options.host, options.port)
    except OSError as error:
        # Python adds the address to the reason, which is in the line already.
        reason = str(error.strerror).partition(" (while")[0]
        print(f"error: {options.host} port {options.port}: {reason}.", file=sys.stderr)
        return 1
    with listener:
        print(f"listening on http://{options.host}:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        server.run(sockets=[listener])
    for failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failures or not server.started else 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=512)
    # Connections inherit it. An answer's head and body are sent one after the other, and with Nagle's
    # algorithm on, the body waits 40 ms for the head to be acknowledged where a connection is kept.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.serving", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=None, help=f"default: $PORT, else {DEFAULT_PORT}")
    parser.add_argument(
        "--model", type=Path, required=True, help="folder that `python -m app.training` wrote"
    )
    options = parser.parse_args(arguments)
    if options.port is None:
        try:
            options.port = _port(os.environ.get("PORT") or str(DEFAULT_PORT))
        except argparse.ArgumentTypeError as error:
            parser.error(f"environment variable PORT: {error}")
    return options


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535, or 0 for any that is free)")


if __name__ == "__main__":
    sys.exit(main())
