"""The pull-request workflow is sound, pinned, of least privilege, and a thin wrapper."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
BIN = Path(sys.executable).parent


def load(path):
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "tool",
    [["actionlint"], ["zizmor", "--offline", "--no-progress", "--persona", "pedantic"]],
    ids=lambda t: t[0],
)
def test_the_linters_have_no_finding(tool, path):
    checked = subprocess.run([BIN / tool[0], *tool[1:], path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_linters_do_find_something(tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text(
        "on: push\njobs:\n  a:\n    runs-on: nowhere\n    steps:\n      - uses: actions/checkout@v4\n"
    )
    for tool in (["actionlint"], ["zizmor", "--offline", "--no-progress"]):
        assert (
            subprocess.run([BIN / tool[0], *tool[1:], bad], capture_output=True, check=False).returncode != 0
        )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_with_their_version_beside_it(path):
    uses = re.findall(r"uses: *(.*)", path.read_text())
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_may_be_written_and_no_credential_stays(path):
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        assert job["timeout-minutes"] <= 30
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_it_runs_the_same_command_as_a_laptop_on_pull_requests_and_main():
    workflow = load(ROOT / ".github/workflows/pr.yml")
    triggers = workflow[True]  # YAML 1.1 reads `on` as a boolean
    assert "pull_request" in triggers
    assert triggers["push"]["branches"] == ["main"]
    commands = [step["run"] for step in workflow["jobs"]["pipeline"]["steps"] if "run" in step]
    assert "make pipeline" in commands
    assert len(commands) <= 2
