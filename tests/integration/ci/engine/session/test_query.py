"""`dagger query`: a query's answer on stdout."""

import json
import subprocess

import pytest

pytestmark = pytest.mark.embedded


@pytest.fixture
def query(dagger, environ):
    def query(*arguments: str, document: str = ""):
        return subprocess.run(
            [dagger, "query", *arguments],
            env=environ,
            input=document,
            capture_output=True,
            text=True,
            check=False,
        )

    return query


def test_a_query_on_stdin_is_answered_with_its_data(query):
    assert set(json.loads(query(document="{ version defaultPlatform }").stdout)) == {
        "version",
        "defaultPlatform",
    }


def test_a_query_in_a_file_takes_variables_and_an_operation(query, tmp_path):
    path = tmp_path / "q.graphql"
    path.write_text(
        "query A($m: String!) { error(message: $m) { message } } query B { version }", encoding="utf-8"
    )
    done = query("--doc", str(path), "--var", "m=a=b", "A")
    assert json.loads(done.stdout) == {"error": {"message": "a=b"}}
    done = query("--doc", str(path), "--var-json", '{"m": "x"}', "A")
    assert json.loads(done.stdout) == {"error": {"message": "x"}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--doc", "/nowhere"), "cannot read /nowhere"),
        (("--var", "x"), '--var "x" is not of the form name=value'),
        (("--var-json", "{"), "--var-json is not JSON"),
        ((), 'Cannot query field "nope" on type "Query"'),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_1(query, arguments, message):
    done = query(*arguments, document="{ nope }")
    assert (done.returncode, done.stdout) == (1, "")
    [error] = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
    assert message in error
    assert "Traceback" not in done.stderr
