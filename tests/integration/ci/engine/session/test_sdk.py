"""The unmodified SDK against the engine."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.embedded

SCRIPT = """
import json, os
import anyio, dagger
from dagger import dag

async def main():
    found = {}
    async with dagger.connection(dagger.Config(log_output=None)):
        found["version"] = await dag.version()
        found["platform"] = await dag.default_platform()
        secret = dag.set_secret("name", "value")
        found["secret"] = [await secret.name(), await secret.plaintext(), await secret.uri()]
        os.environ["TOKEN"] = "unseen"
        provided = dag.secret("file://" + os.environ["SECRET_FILE"])
        found["provided"] = [await provided.name(), await provided.plaintext()]
        inner = dag.json().new_integer(3)
        document = dag.json().with_field(["a", "b"], inner)
        found["json"] = json.loads(await document.contents())
        found["fields"] = await document.field(["a"]).fields()
        error = dag.error("message").with_value("key", dagger.JSON("[1]"))
        found["values"] = [(await v.name(), await v.value()) for v in await error.values()]
        try:
            await dag.secret("env://NOT_THERE_AT_ALL").plaintext()
        except dagger.QueryError as problem:
            found["error"] = [str(problem), problem.errors[0].path]
        try:
            await dag.container().experimental_with_gpu(["0"]).stdout()
        except dagger.QueryError as problem:
            found["unserved"] = str(problem)
    print(json.dumps(found))

anyio.run(main)
"""


@pytest.fixture(params=["run", "provisioned"])
def found(request, dagger, environ, tmp_path):
    """What the script finds, in `dagger run` and when the SDK starts the session by itself."""
    (tmp_path / "secret").write_text("from a file")
    command = [sys.executable, "-c", SCRIPT]
    if request.param == "run":
        command = [dagger, "run", *command]
    more = {"_EXPERIMENTAL_DAGGER_CLI_BIN": dagger, "SECRET_FILE": str(tmp_path / "secret")}
    done = subprocess.run(command, env=environ | more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_sdk_finds_the_api_it_was_made_for(found):
    assert found["version"].startswith("v0.")
    assert found["platform"].startswith("linux/")
    assert found["secret"] == ["name", "value", ""]
    assert found["provided"] == ["", "from a file"]
    assert found["json"] == {"a": {"b": 3}}
    assert found["fields"] == ["b"]
    assert found["values"] == [["key", "[1]"]]
    assert found["error"] == ['secret env var not found: "NOT..."', ["secret", "plaintext"]]
    assert found["unserved"].startswith("Container.experimentalWithGPU is not served by the embedded engine")
