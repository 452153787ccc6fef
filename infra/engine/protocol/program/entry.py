"""Runs a Pulumi program in its own interpreter: the job of Pulumi's pulumi-language-python-exec.

This file is handed to that interpreter as a script: of this project it can import nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import inspect
import logging
import os
import runpy
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
TOLD_THE_USER = 32
"""The exit code that says: there is nothing to add to what was logged."""

_NO_SDK = """
It looks like the Pulumi SDK has not been installed. Have you run pip install?
If you are running in a virtualenv, you must run pip install -r requirements.txt from inside it."""


def arguments() -> argparse.Namespace:
    """The command line, as the engine gives it."""
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
    return parser.parse_args()


def module_path(path: str) -> str:
    """A program's file: a folder stands for its ``__main__``."""
    stem, extension = os.path.splitext(path)
    return os.path.abspath(stem if extension else os.path.join(path, "__main__"))


def users_traceback(program: str) -> str:
    """The traceback of the current exception from the user's own file on."""
    frames = traceback.extract_tb(sys.exc_info()[2])
    wanted = module_path(program)
    for index, frame in enumerate(frames):
        if module_path(frame.filename) == wanted:
            return traceback.format_exc(limit=index - len(frames))
    return traceback.format_exc()


def is_missing(error: ImportError) -> bool:
    """Whether ``error`` is runpy's about a folder without a program in it."""
    names = {
        runpy.__file__ if frame.filename == "<frozen runpy>" else frame.filename
        for frame in traceback.extract_tb(error.__traceback__)
    }
    return names == {__file__, runpy.__file__}


def end_with_engine() -> None:
    """Have the kernel end this process when the engine is killed, and can't do it (prctl(2); Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main() -> int:
    """Run the program; the result is the exit code."""
    given = arguments()
    end_with_engine()
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
        pulumi.log.error(f"Program failed with an unhandled exception:\n{users_traceback(program)}")
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

    log = engine.Log

    def some(request: Any, *args: Any, **kwargs: Any) -> Any:
        return None if request.severity == engine_pb2.DEBUG else log(request, *args, **kwargs)

    engine.Log = some


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
