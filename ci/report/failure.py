"""Says why a stage failed: what a person needs to know, and nothing that is secret."""

import shlex

import dagger

from ci.report.model import Failure, without_credentials
from ci.stages.result import StageFailed
from ci.stages.step import plain

LAST_LINES = 20


def describe(error: Exception, again: str) -> Failure:
    """Describe what a stage raised; ``again`` is how to run it by itself."""
    leaf = _first(error)
    if isinstance(leaf, dagger.ExecError):
        command = shlex.join(plain(leaf.command))
        output = {"stdout": _tail(leaf.stdout), "stderr": _tail(leaf.stderr)}
        return Failure(
            message=f"A step ended with exit code {leaf.exit_code}.",
            again=again,
            command=without_credentials(command),
            exit_code=leaf.exit_code,
            output={stream: text for stream, text in output.items() if text},
        )
    if isinstance(leaf, StageFailed):
        return Failure(str(leaf), again)
    if isinstance(leaf, dagger.DaggerError):
        return Failure(f"The engine could not do it: {without_credentials(str(leaf))}", again, engine=True)
    return Failure(f"{type(leaf).__name__}: {without_credentials(str(leaf))}", again)


def _first(error: Exception) -> Exception:
    """The first error in a task group's, since the others were only cancelled by it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _tail(text: str) -> str:
    lines = without_credentials(text).rstrip().splitlines()
    return "\n".join(lines[-LAST_LINES:])
