"""Carries out a request: a Dagger session, the stages in it, the report, the exit code.

The session is started before the SDK is imported: both take their time, side by side.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from rich.console import Console

from ci.report import views
from ci.report.model import RunReport, StageReport
from ci.request import Request
from ci.session import EngineTrouble, Session


class Exit(IntEnum):
    """What the exit code says."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    ENGINE = 3
    INTERRUPTED = 130


def execute(request: Request, console: Console) -> Exit:
    """Run the request and print how it goes."""
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            Session(os.environ, request.root, stderr=nowhere if request.quiet else None) as session,
        ):
            report = _run(request, console, session)
    except EngineTrouble as error:
        _complain(str(error))
        return Exit.ENGINE
    except OSError as error:  # of the output folder: full, read-only, not a folder
        _complain(f"cannot write to {error.filename or request.output}: {error.strerror}")
        return Exit.ENGINE
    except KeyboardInterrupt:
        _complain("interrupted; what was finished stays in the cache")
        return Exit.INTERRUPTED
    return Exit(report.exit_code)


def _run(request: Request, console: Console, session: Session) -> RunReport:
    started = time.time()
    import anyio

    from ci import perform  # and with it the SDK, while the session starts

    session.ready()
    stages, artifacts = anyio.run(perform.perform, request, console, started)
    report = RunReport(
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        seconds=time.time() - started,
        exit_code=_verdict(stages),
        stages=tuple(stages),
        artifacts=artifacts,
        revision=_revision(request.root),
    )
    views.show(console, report, request.output)
    return report


def _verdict(stages: Sequence[StageReport]) -> Exit:
    failures = [stage.failure for stage in stages if stage.failure]
    if not failures:
        return Exit.PASSED
    return Exit.ENGINE if all(failure.engine for failure in failures) else Exit.FAILED


def _revision(root: Path) -> str:
    """The commit that is checked out, for the report alone; empty without git."""
    if not (git := shutil.which("git")):
        return ""
    found = subprocess.run([git, "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _complain(text: str) -> None:
    Console(stderr=True).print(f"shipway: {text}", highlight=False, markup=False, soft_wrap=True)
