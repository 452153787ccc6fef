"""Carries out a request: a Dagger session, the stages in it, the report, the exit code.

The session is started before the SDK is imported: both take their time, side by side.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import IntEnum

from rich.console import Console

from ci.report import views
from ci.report.model import RunReport, StageReport
from ci.request import Request
from ci.session import EngineTrouble, Session
from ci.target import LOCAL, NoCloud, start_local


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
    except (EngineTrouble, NoCloud) as error:
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

    # The cloud, the session and this process's imports take their time: side by side.
    with ThreadPoolExecutor(max_workers=1) as aside:
        cloud = aside.submit(start_local, request.root) if _on_this_machine(request) else None

        from ci import perform  # and with it the SDK

        session.ready()
        addresses = cloud.result() if cloud is not None else None
    stages, artifacts = anyio.run(perform.perform, request, console, started, addresses)
    report = RunReport(
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        seconds=time.time() - started,
        exit_code=_verdict(stages),
        stages=tuple(stages),
        artifacts=artifacts,
        revision=request.target.commit,
    )
    views.show(console, report, request.output)
    return report


def _on_this_machine(request: Request) -> bool:
    return request.plan.delivers and request.target.cloud == LOCAL


def _verdict(stages: Sequence[StageReport]) -> Exit:
    failures = [stage.failure for stage in stages if stage.failure]
    if not failures:
        return Exit.PASSED
    return Exit.ENGINE if all(failure.engine for failure in failures) else Exit.FAILED


def _complain(text: str) -> None:
    Console(stderr=True).print(f"shipway: {text}", highlight=False, markup=False, soft_wrap=True)
