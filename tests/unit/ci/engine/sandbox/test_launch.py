"""Telling bwrap's complaints from a step's own stderr, and saying what they mean."""

from pathlib import Path

import pytest

from ci.engine.sandbox import CommandNotExecutable, CommandNotFound, Overlay, SandboxError, Spec
from ci.engine.sandbox.launch import Complaints, explain

SPEC = Spec(Overlay((), Path("upper"), Path("work")), ("app", "--flag"), (("PATH", "/opt/bin"),))


def heard(*chunks: bytes) -> tuple[bytes, str]:
    """What was passed on, and what was held back."""
    passed: list[bytes] = []
    complaints = Complaints(passed.append)
    for chunk in chunks:
        complaints.hear(chunk)
    return b"".join(passed), complaints.text


def test_a_steps_stderr_is_passed_on_at_once():
    assert heard(b"warning\n", b"bwrap: x\n") == (b"warning\nbwrap: x\n", "")


def test_a_complaint_is_held_back_however_it_is_cut():
    assert heard(b"bwrap: ", b"execvp app", b": No such file\n") == (b"", "bwrap: execvp app: No such file")


def test_what_is_too_long_for_a_complaint_is_passed_on():
    long = b"bwrap: " + b"x" * 5000
    assert heard(long, b"more") == (long + b"more", "")


def test_what_was_held_back_can_be_passed_on_after_all():
    passed: list[bytes] = []
    complaints = Complaints(passed.append)
    complaints.hear(b"bwrap: mine")
    complaints.release()
    complaints.release()
    assert passed == [b"bwrap: mine"]


@pytest.mark.parametrize(
    ("complaint", "kind", "words"),
    [
        ("bwrap: execvp app: No such file or directory", CommandNotFound, "container's PATH (/opt/bin)"),
        (
            "bwrap: execvp /x/app: No such file or directory",
            CommandNotFound,
            "/x/app: not found in the container",
        ),
        ("bwrap: execvp a: b\nc: No such file or directory", CommandNotFound, "a: b\nc: not found"),
        ("bwrap: execvp app: Permission denied", CommandNotExecutable, "app: cannot be executed"),
        ("bwrap: execvp app: Exec format error", CommandNotExecutable, "a program for this machine"),
        ("bwrap: execvp app: Argument list too long", SandboxError, "in a file or on stdin"),
        (
            "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
            SandboxError,
            "Can't mount proc",
        ),
        ("", SandboxError, "without a word"),
    ],
)
def test_a_complaint_becomes_the_error_it_means(complaint, kind, words):
    error = explain(complaint, SPEC)
    assert isinstance(error, kind)
    assert words in str(error)
