"""Runs a Pulumi program in its own interpreter: the job of Pulumi's pulumi-language-python-exec.

This file is handed to that interpreter as a script: of this project it can import nothing. It loads the SDK,
and then forks for each run that it is asked for on a socket, its one argument: so that the SDK is there when
the engine is ready, and is loaded once for a preview and its update. An order is a line of JSON,
``{"arguments": [...], "environment": {...}, "again": ...}``, that comes with two descriptors, the run's
standard output and error; it is answered by ``{"pid": ...}`` and, in the end, ``{"code": ...}``; ``again``
says that there is another to come.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import importlib
import inspect
import json
import logging
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
LARGEST_ORDER = 1 << 20
ENDED_SECONDS = 0.05
TOLD_THE_USER = 32
"""The exit code that says: there is nothing to add to what was logged."""

_NO_SDK = """
It looks like the Pulumi SDK has not been installed. Have you run pip install?
If you are running in a virtualenv, you must run pip install -r requirements.txt from inside it."""


def arguments(words: list[str]) -> argparse.Namespace:
    """A run's command line, as the engine gives it."""
    parser = argparse.ArgumentParser(description="Run a Pulumi program.")
    for name in (
        "project",
        "root_directory",
        "stack",
        "parallel",
        "dry_run",
        "pwd",
        "monitor",
        "engine",
        "organization",
        "debug",
    ):
        parser.add_argument(f"--{name}")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    return parser.parse_args(words)


def users_traceback(*roots: str) -> str:
    """The current exception with the frames of the user's own files alone: those below one of ``roots``.

    One that none of them raised (a circle between resources, which the SDK finds) is told without any.
    """
    error = sys.exc_info()[1]
    if error is None:
        return ""
    told = traceback.TracebackException(type(error), error, error.__traceback__)
    below = tuple(os.path.join(os.path.realpath(root), "") for root in roots)
    if not _keep_users_frames(told, below):
        return "".join(told.format_exception_only())
    return "".join(told.format())


def _keep_users_frames(told: traceback.TracebackException, below: tuple[str, ...]) -> bool:
    """Drop all frames but the user's, of what led to the exception too. Whether there are any."""
    frames = [frame for frame in told.stack if _is_users(frame.filename, below)]
    told.stack = traceback.StackSummary.from_list(frames)
    earlier = [each for each in (told.__cause__, told.__context__) if each is not None]
    found = [_keep_users_frames(each, below) for each in earlier]
    return any(found) or bool(frames)


def _is_users(file: str, below: tuple[str, ...]) -> bool:
    """Whether a frame's file is below one of the folders, and not what is installed there or in no file."""
    inside = os.path.realpath(file).startswith(below)
    return inside and "site-packages" not in file and not file.startswith("<")


def is_missing(error: ImportError) -> bool:
    """Whether ``error`` is runpy's about a folder without a program in it."""
    names = {
        runpy.__file__ if frame.filename == "<frozen runpy>" else frame.filename
        for frame in traceback.extract_tb(error.__traceback__)
    }
    return names == {__file__, runpy.__file__}


def end_with_parent() -> None:
    """Have the kernel end this process when its parent is killed, and can't do it (prctl(2); Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def load_sdk() -> None:
    """Load what every program will; that it isn't there is told by a run."""
    with contextlib.suppress(ImportError):
        importlib.import_module("pulumi.runtime")


def orders(channel: socket.socket) -> dict[str, Any] | None:
    """Fork for each order. A fork gets its order; the parent None, once the engine wants nothing more."""
    while True:
        line, descriptors, _, _ = socket.recv_fds(channel, LARGEST_ORDER, 2)
        if not line:
            return None
        while not line.endswith(b"\n"):
            line += channel.recv(LARGEST_ORDER)
        order: dict[str, Any] = json.loads(line)
        loaded, told = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(loaded)
            channel.close()
            become_run(descriptors)
            return {**order, "told": told}
        for descriptor in (*descriptors, told):
            os.close(descriptor)
        tell(channel, {"pid": pid})
        status = None
        if order["again"]:
            status, names = names_from(loaded, pid)
            load_too(names, order)
        os.close(loaded)
        if status is None:
            _, status = os.waitpid(pid, 0)
        tell(channel, {"code": os.waitstatus_to_exitcode(status)})


def tell(channel: socket.socket, message: dict[str, int]) -> None:
    """Send a line to the engine."""
    channel.sendall(json.dumps(message).encode() + b"\n")


def become_run(descriptors: list[int]) -> None:
    """Be a process of its own, with the standard output and error that it was given."""
    os.setsid()
    end_with_parent()
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)


def names_from(told: int, pid: int) -> tuple[int | None, list[str]]:
    """What a run tells once its program has been read; and its status, if it has ended before."""
    status, text = None, b""
    while status is None and not select.select([told], [], [], ENDED_SECONDS)[0]:
        ended, found = os.waitpid(pid, os.WNOHANG)
        status = found if ended else None
    while status is None and not text.endswith(b"\n"):
        part = os.read(told, LARGEST_ORDER)
        if not part:
            return None, []
        text += part
    return status, text.decode().split()


def load_too(names: list[str], order: dict[str, Any]) -> None:
    """Load what the program has loaded of providers' SDKs, for its next run, while this one goes on."""
    if not names:
        return
    from pulumi.runtime import set_all_config

    environment = order["environment"]
    set_all_config(
        json.loads(environment["PULUMI_CONFIG"]), json.loads(environment["PULUMI_CONFIG_SECRET_KEYS"])
    )
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught # the next run will tell
            return


def say_loaded(told: int) -> None:
    """Tell what of providers' SDKs the program has loaded; nobody may be listening."""
    with contextlib.suppress(BrokenPipeError), os.fdopen(told, "w", encoding="utf-8") as file:
        file.write(" ".join(providers_sdks()) + "\n")


def providers_sdks() -> list[str]:
    """The modules of installed packages called ``pulumi_...`` that are loaded: they do nothing but define."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name.startswith("pulumi_") and "-packages" in str(getattr(module, "__file__", ""))
    ]


def run_program(order: dict[str, Any]) -> int:
    """Run the program; the result is the exit code."""
    os.environ.update(order["environment"])
    given = arguments(order["arguments"])
    try:
        import pulumi
        import pulumi.runtime
    except ImportError:
        print(traceback.format_exc(), _NO_SDK, sep="", file=sys.stderr)
        return 1
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    chosen = settings(given)
    if given.debug != "true":
        leave_debug_out(chosen.engine)
    pulumi.runtime.configure(chosen)
    vars(pulumi.runtime.stack)["asyncio"] = Strides()
    sys.argv = [given.program, *given.arguments]
    os.chdir(given.pwd)
    program = os.path.abspath(given.program)

    def run() -> None:
        try:
            runpy.run_path(given.program, run_name="__main__")
        except ImportError as error:
            if not is_missing(error):
                raise
            pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
            sys.exit(TOLD_THE_USER)
        finally:
            say_loaded(order["told"])

    # Futures that nobody looks at are normal here when a program ends early.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=4 * max(1, int(given.parallel)))
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught # the user's program may raise anything
        told = users_traceback(given.root_directory, given.pwd)
        pulumi.log.error(f"Program failed with an unhandled exception:\n{told}")
        return TOLD_THE_USER
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return 0


def settings(given: argparse.Namespace) -> Any:
    """The SDK's settings; an older SDK doesn't know all of them."""
    import pulumi.runtime

    known = inspect.signature(pulumi.runtime.Settings.__init__).parameters
    values = {
        "monitor": given.monitor,
        "engine": given.engine,
        "project": given.project,
        "stack": given.stack,
        "parallel": int(given.parallel),
        "dry_run": given.dry_run == "true",
        "organization": given.organization,
        "root_directory": given.root_directory,
    }
    return pulumi.runtime.Settings(**{name: value for name, value in values.items() if name in known})


def leave_debug_out(engine: Any) -> None:
    """Have the SDK's debug messages go nowhere: it waits for each to arrive, several times a resource."""
    from pulumi.runtime.proto import engine_pb2

    log, debug = engine.Log, engine_pb2.LogSeverity.Value("DEBUG")  # pylint: disable=no-member # protobuf

    def some(request: Any, *args: Any, **kwargs: Any) -> Any:
        return None if request.severity == debug else log(request, *args, **kwargs)

    engine.Log = some


class Strides:
    """asyncio for the SDK's loop over a program's outputs, which looks at all that are left after each.

    With thousands of outputs that is most of what a program does. So many are waited for in larger steps:
    until all are there, one has failed, or as long has passed as makes looking at them cheap.
    """

    MANY = 100
    SECONDS_EACH = 20e-6

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def wait(self, tasks: Any, **how: Any) -> Any:
        """See ``asyncio.wait``."""
        if len(tasks) > self.MANY and how == {"return_when": asyncio.FIRST_COMPLETED}:
            seconds = len(tasks) * self.SECONDS_EACH
            done, left = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            if done:
                return done, left
        return await asyncio.wait(tasks, **how)


def main() -> int:
    """Serve the engine; the result is the exit code, of a run or of what forks for it."""
    end_with_parent()
    # This file's folder holds modules of the engine's, which a program is not to find.
    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder) != here]
    load_sdk()
    order = orders(socket.socket(fileno=int(sys.argv[1])))
    if order is None:
        return 0
    code = run_program(order)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
