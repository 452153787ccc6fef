"""The command line says what it would do, and refuses what cannot be meant, without starting an engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(*arguments, root=ROOT, **environ):
    no_engine = {"_EXPERIMENTAL_DAGGER_CLI_BIN": "/nowhere/dagger", "COLUMNS": "120", **environ}
    return subprocess.run(
        [sys.executable, str(root / "ci/main.py"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **no_engine},
        check=False,
    )


@pytest.fixture
def copy(tmp_path):
    """The pipeline in another folder, to break there."""
    shutil.copytree(ROOT / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("engine", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_plan_prints_the_graph_and_what_would_run():
    shown = run("smoke", "--plan", "--skip", "gate")
    assert shown.returncode == 0
    rows = {line.split()[0]: line for line in shown.stdout.splitlines() if line.strip()}
    assert "yes" in rows["smoke"]
    assert "yes" in rows["train"]
    assert "no: skipped" in rows["gate"]
    assert "no: not asked" in rows["lint"]
    assert "train, gate" in rows["build"]


def test_plan_does_not_load_the_sdk():
    probe = "import sys\nfrom ci.cli import app\napp(['--plan'], standalone_mode=False)\n"
    probe += "assert 'dagger' not in sys.modules"
    subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=True, capture_output=True)


def test_help_has_the_stages_and_the_exit_codes():
    shown = run("--help", NO_COLOR="1")
    assert shown.returncode == 0
    for word in ("lint", "base-image", "--fail-fast", "oci-archive", "Exit code", "130  interrupted"):
        assert word in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "There is no stage 'trian'. Did you mean train?"),
        (["--only", "tset"], "There is no stage 'tset'. Did you mean test?"),
        (["lint", "--only", "test"], "Give stage names or --only, not both"),
        (["lint", "--skip", "lint"], "Nothing is left to run"),
        (["--python", "2.7"], "--python 2.7: the project runs on Python 3.11 and newer"),
        (
            ["--base-image", "oci-archive:/no/such.tar"],
            "there is no file /no/such.tar. `make base-image` writes one",
        ),
        (["--base-image", ""], "names no image"),
    ],
)
def test_a_request_that_cannot_be_meant_gets_one_line_and_exit_code_2(arguments, message):
    refused = run(*arguments)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert refused.stdout == ""


def test_a_broken_pyproject_is_named_with_its_line(copy):
    file = copy / "pyproject.toml"
    file.write_text(file.read_text().replace('name = "shipway"', "name = shipway"))
    refused = run(root=copy)
    assert refused.returncode == 2
    assert refused.stderr.startswith("shipway: pyproject.toml:2: ")
    assert "git diff pyproject.toml" in refused.stderr


def test_a_ca_bundle_that_is_not_there_is_refused_before_anything_starts():
    refused = run(PIP_CERT="/no/ca.pem")
    assert refused.returncode == 2
    assert "PIP_CERT" in refused.stderr


def test_without_an_engine_it_says_so_with_exit_code_3():
    refused = run("lint")
    assert refused.returncode == 3
    assert "Cannot start /nowhere/dagger" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_any_python_will_do_when_the_environment_is_made(copy):
    (copy / ".venv").symlink_to(Path(sys.prefix))
    shown = subprocess.run(
        [sys.executable, "-I", "-S", str(copy / "ci/main.py"), "--plan"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0
    assert "smoke" in shown.stdout


def test_without_the_environment_it_says_how_to_make_it(copy):
    refused = subprocess.run(
        [sys.executable, "-I", "-S", str(copy / "ci/main.py")], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "Run `make setup`" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--env", "moon"],
            "--env moon: the environments are development, test, staging, acceptance, production.",
        ),
        (["--cloud", "mars"], "--cloud mars: the clouds are local and google."),
        (["deploy", "--cloud", "google"], "--cloud google needs the variable GOOGLE_OAUTH_ACCESS_TOKEN."),
        (["deploy", "--approved", "/no/plan"], "--approved: there is no file /no/plan."),
        (["deploy"], "PULUMI_BACKEND_URL=s3://bucket: the pipeline keeps Pulumi's state in a folder."),
    ],
)
def test_a_place_that_cannot_be_delivered_to_is_refused(arguments, message):
    refused = run(*arguments, GOOGLE_OAUTH_ACCESS_TOKEN="", PULUMI_BACKEND_URL="s3://bucket")
    assert refused.returncode == 2
    assert message in refused.stderr
