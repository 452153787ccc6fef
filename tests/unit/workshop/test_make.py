"""`make` says what it can do, and every target that it lists is there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TARGETS = (
    "setup",
    "pipeline",
    "test",
    "test-all",
    "parity",
    "lint",
    "bench",
    "base-image",
    "lock",
    "clean",
    "help",
)


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_without_a_target_it_lists_them():
    listed = make()
    assert listed.returncode == 0
    assert re.findall(r"^  ([a-z-]+)  ", listed.stdout, re.MULTILINE) == ["help", *TARGETS[:-1]]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_can_be_made(target):
    assert make("--dry-run", target).returncode == 0


def test_the_pipeline_asks_for_the_light_environment_only():
    commands = make("--dry-run", "pipeline").stdout
    assert "setup.sh pipeline" in commands
    assert "workshop" not in commands


def test_ci_runs_make_test():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text()


def test_the_dagger_module_is_found_where_the_sdk_looks_for_it():
    config = json.loads((ROOT / "dagger.json").read_text())
    assert config["sdk"] == {"source": "python"}
    assert config.get("source", ".") == "."  # pyproject.toml is in the module's folder
    text = (ROOT / "pyproject.toml").read_text()
    assert f'main_object = "ci.module:{config["name"].capitalize()}"' in text


def test_nothing_names_the_place_it_was_written_at():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    own = [
        ROOT / name for name in listed.stdout.splitlines() if not name.startswith(("ci/engine", "app/data"))
    ]
    places = re.compile(r"(?<![\w.])/(?:work|root)/[a-z]|pypi\.org|files\.pythonhosted|deb\.debian\.org")
    for path in own:
        if path.is_file() and path != Path(__file__):
            assert not places.search(path.read_text(errors="ignore")), path
