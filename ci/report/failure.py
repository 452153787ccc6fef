"""Says why a stage failed: what a person needs to know, and nothing that is secret."""

import shlex

import dagger

from ci.report.model import FailedStep, Failure, without_credentials
from ci.stages.result import StageFailed
from ci.stages.step import plain

LAST_LINES = 20


def describe(error: Exception, again: str) -> Failure:
    """Describe what a stage raised; ``again`` is how to run it by itself."""
    leaves = _leaves(error)
    if steps := tuple(_step(leaf) for leaf in leaves if isinstance(leaf, dagger.ExecError)):
        message = "A step failed." if len(steps) == 1 else f"{len(steps)} steps failed."
        return Failure(message, again, steps)
    leaf = leaves[0]
    if isinstance(leaf, StageFailed):
        return Failure(str(leaf), again)
    if isinstance(leaf, dagger.DaggerError):
        return Failure(f"The engine could not do it: {without_credentials(str(leaf))}", again, engine=True)
    return Failure(f"{type(leaf).__name__}: {without_credentials(str(leaf))}", again)


def _leaves(error: Exception) -> list[Exception]:
    if isinstance(error, ExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _step(error: dagger.ExecError) -> FailedStep:
    output = {"stdout": _tail(error.stdout), "stderr": _tail(error.stderr)}
    return FailedStep(
        command=without_credentials(shlex.join(plain(error.command))),
        exit_code=error.exit_code,
        output={stream: text for stream, text in output.items() if text},
    )


def _tail(text: str) -> str:
    lines = without_credentials(text).rstrip().splitlines()
    return "\n".join(lines[-LAST_LINES:])
