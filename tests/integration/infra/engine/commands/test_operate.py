"""`pulumi preview|up|refresh|destroy` on programs of components and dynamic resources."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("dev")

PROGRAM = """\
import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

class Provider(ResourceProvider):
    def create(self, props):
        return CreateResult("id-" + props["name"], {**props, "made": True})
    def update(self, id, olds, news):
        return UpdateResult({**news, "made": True})
    def diff(self, id, olds, news):
        return DiffResult(changes=olds["size"] != news["size"])

class Thing(Resource):
    def __init__(self, name, size, opts=None):
        props = {"name": name, "size": size, "pw": pulumi.Output.secret("hush")}
        super().__init__(Provider(), name, props, opts)

config = pulumi.Config()
if config.get("fail"):
    raise RuntimeError("oh no")
options = pulumi.ResourceOptions(protect=config.get_bool("protect"))
thing = Thing("thing", config.get_int("size") or 1, options)
pulumi.export("size", config.get_int("size") or 1)
pulumi.export("pw", pulumi.Output.secret("hush"))
"""
ROOT = Path(__file__).parents[5]
URN = "urn:pulumi:dev::shop::pulumi-python:dynamic:Resource::thing"


@pytest.fixture(autouse=True)
def program(shell):
    shell.program(PROGRAM)


def latest(shell):
    return json.loads(shell.checkpoint().read_bytes())["checkpoint"]["latest"]


def test_from_nothing_to_something_and_back(shell):
    planned = shell.run("preview")
    assert planned.startswith("Previewing update (dev):\n")
    assert "    + 2 to create\n" in planned
    assert "resources" not in latest(shell)
    made = shell.run("up", "--yes", "--skip-preview", "--message", "first")
    assert made.startswith("Updating (dev):\n")
    assert "Outputs:\n    pw  : [secret]\n    size: 1\n" in made
    assert "    + 2 created\n" in made
    assert "hush" not in shell.checkpoint().read_text(encoding="utf-8")

    assert json.loads(shell.run("stack", "output", "--json")) == {"pw": "[secret]", "size": 1}
    assert shell.run("stack", "output", "pw", "--show-secrets") == "hush\n"
    entry = json.loads(shell.run("stack", "history", "--json"))[0]
    assert (entry["kind"], entry["message"], entry["result"]) == ("update", "first", "succeeded")
    assert entry["resourceChanges"] == {"create": 2}

    again = shell.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert "    2 unchanged\n" in again
    gone = shell.run("destroy", "--yes", "--skip-preview", "--remove")
    assert "    - 2 deleted\n" in gone
    assert "and the history and configuration removed." in gone
    assert shell.run("stack", "ls").splitlines()[1:] == []


def test_what_changes_is_shown_as_text_and_as_json(shell):
    shell.run("up", "-yf")
    shell.run("config", "set", "size", "5")
    assert "      ~ size: 1 => 5\n" in shell.run("preview", "--diff")
    digest = json.loads(shell.run("preview", "--json"))
    step = next(step for step in digest["steps"] if step["urn"] == URN)
    assert (step["op"], step["oldState"]["inputs"]["size"], step["newState"]["inputs"]["size"]) == (
        "update",
        1,
        5,
    )
    assert step["newState"]["inputs"]["pw"] == "[secret]"
    assert digest["changeSummary"] == {"same": 1, "update": 1}
    assert "no changes were expected for preview but changes were proposed" in shell.run(
        "preview", "--expect-no-changes", code=7
    )


def test_events_are_logged_as_they_happen(shell, tmp_path):
    log = tmp_path / "events"
    shell.run("up", "-yf", "--event-log", str(log))
    kinds = [list(json.loads(line))[2] for line in log.read_text(encoding="utf-8").splitlines()]
    assert kinds[0] == "preludeEvent"
    assert kinds[-2:] == ["summaryEvent", "cancelEvent"]
    streamed = [json.loads(line) for line in shell.run("up", "-yf", "--json").splitlines()]
    assert streamed[-2]["summaryEvent"]["resourceChanges"] == {"same": 2}


def test_an_approved_plan_is_the_plan_that_is_applied(shell, tmp_path):
    plan = tmp_path / "plan.json"
    assert f"Update plan written to '{plan}'" in shell.result("preview", "--save-plan", str(plan)).err
    assert "hush" not in plan.read_text(encoding="utf-8")
    shell.run("config", "set", "size", "9")
    result = shell.result("up", "-yf", "--plan", str(plan))
    assert result.code == 1
    shell.run("config", "rm", "size")
    shell.run("up", "-yf", "--plan", str(plan))
    (tmp_path / "none").write_text("{}", encoding="utf-8")
    assert "is no update plan: make one" in shell.run("up", "-yf", "--plan", str(tmp_path / "none"), code=1)


def test_a_program_that_fails_shows_its_own_lines_alone(shell):
    shell.run("config", "set", "fail", "true")
    result = shell.result("up", "-yf")
    assert result.code == 1
    assert "error: Program failed with an unhandled exception:" in result.out
    assert "RuntimeError: oh no" in result.out
    assert "site-packages" not in result.out.split("Diagnostics:")[1]
    assert json.loads(shell.run("stack", "history", "--json"))[0]["result"] == "failed"


def test_a_protected_resource_stays_until_it_is_let_go(shell):
    shell.run("config", "set", "protect", "true")
    shell.run("up", "-yf")
    assert "cannot be deleted" in shell.result("destroy", "-yf").out
    assert shell.run("state", "unprotect", URN, "--yes") == "1 resources unprotected\n"
    shell.run("destroy", "-yf")
    assert "resources" not in latest(shell)


def test_the_state_is_exported_and_taken_in_again(shell, tmp_path):
    shell.run("up", "-yf")
    exported = tmp_path / "export.json"
    shell.run("stack", "export", "--file", str(exported))
    plain = shell.run("stack", "export", "--show-secrets")
    assert '"plaintext": "\\"hush\\""' in plain
    before = latest(shell)
    assert shell.run("stack", "import", "--file", str(exported)) == "Import complete.\n"
    assert latest(shell) == before
    (tmp_path / "plain.json").write_text(plain, encoding="utf-8")
    shell.run("stack", "import", "--file", str(tmp_path / "plain.json"))
    assert "hush" not in shell.checkpoint().read_text(encoding="utf-8")
    assert "    2 unchanged\n" in shell.run("preview")
    shell.run("stack", "init", "other")
    assert "is of another stack than 'other'" in shell.run("stack", "import", "--file", str(exported), code=1)


def test_the_resources_are_shown_as_a_tree_and_a_graph(shell, tmp_path):
    shell.run("up", "-yf")
    tree = shell.run("stack", "--show-urns", "--show-ids")
    assert "    ├─ pulumi-python:dynamic:Resource  thing\n    │     URN: " in tree
    assert "          ID: " in tree
    shell.run("stack", "graph", str(tmp_path / "graph.dot"), "--short-node-name")
    assert '[label="thing"];' in (tmp_path / "graph.dot").read_text(encoding="utf-8")


def test_the_state_is_edited_by_hand(shell):
    shell.run("up", "-yf")
    assert shell.run("state", "rename", URN, "other", "--yes") == "Resource renamed\n"
    assert "No such resource" in shell.run("state", "delete", URN, "--yes", code=1)
    shell.run("state", "rename", URN.replace("::thing", "::other"), "thing", "--yes")
    shell.run("state", "delete", URN, "--yes")
    assert "    + 1 to create\n" in shell.run("preview")


def test_configuration_may_be_given_with_the_operation(shell):
    assert "size: 7" in shell.run("up", "-yf", "--config", "size=7")
    assert 'shop:size: "7"' in (shell.project / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    shell.run("config", "set", "size", "8")
    assert "refreshed configuration for stack 'dev'" in shell.run("config", "refresh", "--force")
    assert shell.run("config", "get", "size") == "7\n"


def test_a_terminal_is_asked_before_anything_is_done(shell):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "infra.engine.cli", "--embedded", "--color=never", "up"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=shell.project, env=environment, stdin=theirs, stdout=theirs
    ) as process:
        os.close(theirs)
        with open(ours, "r+b", buffering=0) as terminal:
            asked = b"Do you want to perform this update?\r\n  1. yes\r\n  2. no\r\n  3. details\r\n> "
            until(terminal, asked)
            terminal.write(b"details\n")
            assert b': "thing"' in until(terminal, asked)
            terminal.write(b"2\n")
            until(terminal, b"confirmation declined, not proceeding with the update")
    assert process.returncode == 1
    assert "resources" not in latest(shell)


def until(terminal, text):
    seen = b""
    while not seen.endswith(text):
        seen += terminal.read(1)
    return seen


DRIFTING = """\
import json
from pathlib import Path
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

CLOUD = Path("cloud.json").absolute()

class Provider(ResourceProvider):
    def create(self, props):
        CLOUD.write_text(json.dumps({"color": props["color"]}))
        return CreateResult("id", {"color": props["color"]})
    def read(self, id, props):
        return ReadResult(id, {**props, **json.loads(CLOUD.read_text())})
    def diff(self, id, olds, news):
        return DiffResult(changes=olds["color"] != news["color"])

class Thing(Resource):
    def __init__(self, name, color):
        super().__init__(Provider(), name, {"color": color})

Thing("thing", "red")
"""


def test_what_was_changed_by_hand_is_told_in_a_table(shell):
    shell.program(DRIFTING)
    shell.run("up", "-yf")
    assert shell.run("drift") == "No drift: stack dev is as it was left.\n"
    (shell.project / "cloud.json").write_text('{"color": "blue"}', encoding="utf-8")
    result = shell.result("drift")
    assert result.code == 1
    assert result.out.splitlines()[:2] == [
        "RESOURCE  PROPERTY  RECORDED  FOUND",
        'thing     color     "red"     "blue"',
    ]
    told = json.loads(shell.result("drift", "--json").out)
    assert told["changes"] == [{"urn": URN, "property": "color", "recorded": "red", "found": "blue"}]


SLOW = """\
import os
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        with open(props["mark"], "w") as mark:
            mark.write(str(os.getpid()))
        open(props["mark"]).close()  # once somebody writes to it
        return CreateResult("id", props)

class Slow(Resource):
    def __init__(self, name, mark):
        super().__init__(Provider(), name, {"mark": mark})

Slow("slow", MARK)
"""


def test_a_kill_leaves_what_was_under_way_and_the_lock_that_tells_who(shell, tmp_path):
    mark = tmp_path / "mark"
    os.mkfifo(mark)
    shell.program(SLOW.replace("MARK", repr(str(mark))))
    process = shell.start("up", "--yes", "--skip-preview")
    try:
        assert mark.read_bytes()  # the create is under way, and not cut short by a closed pipe
        refused = shell.run("up", "--yes", code=1)
        assert f"(pid {process.pid})" in refused
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        mark.unlink()
    # As whoever reads it sees the state: the checkpoint itself has it once the journal is folded in.
    pending = json.loads(shell.run("stack", "export"))["deployment"]["pending_operations"]
    assert [(item["type"], item["resource"]["urn"].split("::")[-1]) for item in pending] == [
        ("creating", "slow")
    ]
    assert "that process is gone" in shell.run("up", "--yes", code=1)
    assert "creating urn:pulumi:dev::shop::pulumi-python:dynamic:Resource::slow" in shell.run("stack")
    shell.run("cancel")
    shell.run("refresh", "-yf", "--clear-pending-creates")
    assert "pending_operations" not in latest(shell)


def test_the_processes_of_providers_end_with_an_engine_that_is_killed(shell, tmp_path):
    mark = tmp_path / "mark"
    os.mkfifo(mark)
    shell.program(SLOW.replace("MARK", repr(str(mark))))
    process = shell.start("up", "--yes", "--skip-preview")
    try:
        provider = os.pidfd_open(int(mark.read_text()))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    ended, _, _ = select.select([provider], [], [], 10)
    os.close(provider)
    os.close(os.open(mark, os.O_RDWR))  # lets a provider end that is still there
    assert ended
