"""What a program's failure says: where in the user's files it was, and nothing of how they were run."""

import textwrap

import pytest

from infra.engine.protocol.program import entry

CIRCLE = "RuntimeError: there is a circle\n"


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """Runs a program's text below the SDK's and the engine's own frames; answers what is told."""
    files = {
        tmp_path / "shop/.venv/lib/python3.11/site-packages/sdk.py": "def call(function):\n    function()\n",
        tmp_path / "shop/helper.py": 'def look():\n    return {}["none"]\n',
    }
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    known = {}
    monkeypatch.chdir(tmp_path / "shop")  # a name that is no path is not one below it
    for file, text in [*files.items(), ("<frozen runpy>", "def run(function):\n    function()\n")]:
        exec(compile(text, str(file), "exec"), known)  # noqa: S102 - a program of the test's own

    def fail(program, root="shop"):
        text = textwrap.dedent(program)
        path = tmp_path / root / "__main__.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            exec(compile(text, str(path), "exec"), dict(known))  # noqa: S102
        except Exception:  # noqa: BLE001 - whatever it raises
            return entry.users_traceback(str(tmp_path / "shop"))
        raise AssertionError("it should have failed")

    return fail


def places(told):
    return [line.split("/")[-1] for line in told.splitlines() if line.startswith("  File ")]


def test_only_the_user_s_own_files_are_told(failing):
    told = failing("run(lambda: call(look))")
    assert places(told) == [
        '__main__.py", line 1, in <module>',
        '__main__.py", line 1, in <lambda>',
        'helper.py", line 2, in look',
    ]
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.endswith("KeyError: 'none'\n")


def test_what_led_to_an_exception_is_cut_to_them_too(failing):
    told = failing("""
        try:
            call(look)
        except KeyError as error:
            raise ValueError("no such thing") from error
    """)
    assert "The above exception was the direct cause of the following exception" in told
    assert places(told) == [
        '__main__.py", line 3, in <module>',
        'helper.py", line 2, in look',
        '__main__.py", line 5, in <module>',
    ]


def test_what_no_file_of_the_user_s_raised_is_told_without_any(failing):
    assert failing('raise RuntimeError("there is a circle")', root="elsewhere") == CIRCLE
