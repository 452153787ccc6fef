"""The local cloud's command line: `python -m infra.local up|status|logs|down`."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from infra.local.place import Endpoint, Occupied, default_state, running, stop

FAILED, USAGE, NOT_RUNNING = 1, 2, 3
_START = 60.0  # seconds until a cloud in the background must have answered
_STOP = 15.0  # seconds: instances have ten of them
_POLL = 0.02

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Cloud Run and what it needs of Google Cloud, on this machine.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
State = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the cloud's state. Default: $SHIPWAY_CLOUD_STATE, else in the user's cache.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for machines.")]
_PORT_HELP = "Default: the port of last time, or a free one."


@app.command()
def up(  # pylint: disable=too-many-positional-arguments  # typer reads them as options
    state: State = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help=f"Port of the API. {_PORT_HELP}")] = 0,
    front_port: Annotated[
        int, typer.Option(min=0, max=65535, help=f"Port at which services answer. {_PORT_HELP}")
    ] = 0,
    registry_port: Annotated[
        int, typer.Option(min=0, max=65535, help=f"Port of the image registry. {_PORT_HELP}")
    ] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Want everything prepared as Google does: APIs enabled, repositories made, callers known.",
        ),
    ] = False,
    quota_per_minute: Annotated[
        int,
        typer.Option(min=0, help="Requests that an API answers for a project in a minute; 0 for any number."),
    ] = 0,
    detach: Annotated[
        bool, typer.Option("--detach", help="Serve in the background; return when it answers.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Serve in the foreground, until SIGTERM or Ctrl-C; prints its endpoint when it is ready."""
    folder = _folder(state)
    if detach:
        _print_endpoint(_detach(folder), as_json=as_json)
        return
    from ci.engine.sandbox import SandboxError, enter

    try:
        enter()  # before there is any thread
    except SandboxError as error:
        _fail(str(error))
    import asyncio

    from infra.local.serve import BadState, Ports, serve

    def ready(endpoint: Endpoint) -> None:
        _print_endpoint(endpoint, as_json=as_json)

    try:
        ports = Ports(port, front_port, registry_port)
        asyncio.run(serve(folder, ports, ready, host=host, strict=strict, quota_per_minute=quota_per_minute))
    except (Occupied, BadState, SandboxError, OSError) as error:
        _fail(str(error))


@app.command()
def status(state: State = None, as_json: Json = False) -> None:
    """Say where the cloud answers, and what it serves."""
    endpoint = _running(_folder(state))
    overview = _get(endpoint, "/local/overview")
    if as_json:
        print(json.dumps({**json.loads(endpoint.text()), **overview}))
        return
    from infra.local.page.terminal import show

    show(endpoint, overview)


@app.command("env")
def variables(state: State = None, as_json: Json = False) -> None:
    """Print the variables that lead Pulumi's and Terraform's Google providers here: eval "$(... env)"."""
    found = _running(_folder(state)).variables
    print(
        json.dumps(found) if as_json else "\n".join(f"export {name}={value}" for name, value in found.items())
    )


@app.command()
def logs(  # pylint: disable=too-many-positional-arguments  # typer reads them as options
    service: Annotated[
        str, typer.Argument(help="Of this service or job. Default: all.", show_default=False)
    ] = "",
    project: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Of this project. Repeatable. Default: all that have services."),
    ] = None,
    wanted: Annotated[str, typer.Option("--filter", help="More, in Cloud Logging's query language.")] = "",
    severity: Annotated[str, typer.Option(help="At least so severe, as in ERROR.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many lines.")] = 50,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Print what services and jobs have printed, and their requests."""
    endpoint = _running(_folder(state))
    from infra.local import tail

    projects = project or sorted({each["project"] for each in _get(endpoint, "/local/overview")["services"]})
    if not projects:
        _fail("there is no service yet. Name a project with --project.")
    question = tail.narrowed(service, severity, wanted)
    try:
        entries = tail.newest(endpoint.endpoint, projects, question, limit)
        for entry in entries:
            print(json.dumps(entry) if as_json else tail.text(entry))
        for entry in tail.follow(endpoint.endpoint, projects, question, entries) if following else ():
            print(json.dumps(entry) if as_json else tail.text(entry), flush=True)
    except tail.NoLogs as error:
        _fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def down(state: State = None) -> None:
    """Stop the cloud; its state stays, and `up` brings everything back."""
    folder = _folder(state)
    endpoint = running(folder)
    if endpoint is None:
        print(f"No local cloud serves from {folder}.")
        return
    if not stop(endpoint, folder, _STOP):
        _fail(f"the cloud (process {endpoint.pid}) has not ended within {_STOP:.0f} s. Kill it with SIGKILL.")
    print(f"Stopped; `python -m infra.local up` brings everything in {folder} back.")


def main() -> None:
    """Run the command line."""
    app(prog_name="python -m infra.local")


def _folder(state: Path | None) -> Path:
    return (state or default_state(os.environ)).absolute()


def _running(folder: Path) -> Endpoint:
    endpoint = running(folder)
    if endpoint is None:
        _fail(
            f"no local cloud serves from {folder}. Start it with `python -m infra.local up`.",
            NOT_RUNNING,
        )
    return endpoint


def _detach(folder: Path) -> Endpoint:
    """The cloud that serves from a folder; started in the background, with this command's words, if none."""
    if (endpoint := running(folder)) is not None:
        return endpoint
    words = [word for word in sys.argv[1:] if word not in {"--detach", "--json"}]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = folder / "cloud.log"
    begun = log.stat().st_size if log.exists() else 0
    process = _start(words, log)
    until = time.monotonic() + _START
    while (endpoint := running(folder)) is None:
        if process.poll() is not None:
            said = log.read_bytes()[begun:].decode(errors="replace").strip()
            _fail(said.removeprefix("infra.local: ") or f"it ended at once; see {log}")
        if time.monotonic() > until:
            process.send_signal(signal.SIGTERM)
            _fail(f"it does not answer after {_START:.0f} s; see {log}")
        time.sleep(_POLL)
    return endpoint


def _start(words: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "infra.local", *words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _get(endpoint: Endpoint, path: str) -> Any:
    import httpx

    try:
        answer = httpx.get(f"{endpoint.endpoint}{path}", timeout=10, trust_env=False)
        return answer.raise_for_status().json()
    except httpx.HTTPError as error:
        _fail(f"the cloud at {endpoint.endpoint} does not answer: {error}")


def _print_endpoint(endpoint: Endpoint, *, as_json: bool) -> None:
    text = f"Local cloud at {endpoint.endpoint} (registry {endpoint.registry})"
    if as_json:
        text = json.dumps({**asdict(endpoint), "variables": endpoint.variables})
    print(text, flush=True)


def _fail(text: str, code: int = FAILED) -> NoReturn:
    print(f"infra.local: {text}", file=sys.stderr)
    raise typer.Exit(code)
