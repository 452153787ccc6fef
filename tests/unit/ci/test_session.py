"""A `dagger session` is started when there is none, and ended with us: small programs speak its protocol."""

import os
import stat
import sys

import pytest

from ci.session import NoSession, Session, find_cli

SERVES = """
import json, os, sys
print(json.dumps({"port": 1234, "session_token": "t", "extra": 1}), flush=True)
sys.stdin.read()
open(os.environ["GONE"], "w").close()
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    def make(source):
        path = tmp_path / "dagger"
        path.write_text(f"#!{sys.executable}\n{source}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return {"_EXPERIMENTAL_DAGGER_CLI_BIN": str(path)}

    monkeypatch.setenv("GONE", str(tmp_path / "gone"))
    return make


def test_its_address_is_in_the_environment_while_it_lasts(program, tmp_path):
    environ = program(SERVES)
    with Session(environ, tmp_path) as session:
        session.ready()
        assert environ["DAGGER_SESSION_PORT"] == "1234"
        assert environ["DAGGER_SESSION_TOKEN"] == "t"
        assert not (tmp_path / "gone").exists()
    assert (tmp_path / "gone").exists()
    assert "DAGGER_SESSION_PORT" not in environ


def test_it_ends_in_good_order_when_we_are_interrupted(program, tmp_path):
    def work():
        with Session(program(SERVES), tmp_path) as session:
            session.ready()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (tmp_path / "gone").exists()


def test_a_session_that_is_there_already_is_used(tmp_path):
    environ = {
        "DAGGER_SESSION_PORT": "9",
        "DAGGER_SESSION_TOKEN": "theirs",
        "_EXPERIMENTAL_DAGGER_CLI_BIN": "/nope",
    }
    before = dict(environ)
    with Session(environ, tmp_path) as session:
        session.ready()
        assert environ == before
    assert environ == before


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import sys; sys.exit(7)", "ended with exit code 7"),
        ("print('hello')", "said 'hello'"),
        ("print('{}')", "said '{}'"),
    ],
)
def test_what_does_not_speak_the_protocol_is_refused(program, tmp_path, source, problem):
    with Session(program(source), tmp_path) as session, pytest.raises(NoSession, match=problem):
        session.ready()


def test_a_program_that_cannot_be_started_is_named(tmp_path):
    environ = {"_EXPERIMENTAL_DAGGER_CLI_BIN": str(tmp_path / "nothing")}
    with pytest.raises(NoSession, match="nothing: No such file"), Session(environ, tmp_path):
        pass


def test_the_program_of_this_environment_comes_before_paths():
    assert find_cli({"PATH": "/usr/bin"}) == os.path.join(os.path.dirname(sys.executable), "dagger")


def test_without_any_program_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NoSession, match="make setup"):
        find_cli({"PATH": str(tmp_path)})
