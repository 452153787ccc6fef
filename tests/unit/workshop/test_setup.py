"""Making the environment: a machine that lacks something is told what, in a line or two."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clone(tmp_path):
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "ci").mkdir()
    shutil.copy(ROOT / "ci/host_settings.py", tmp_path / "ci")
    return tmp_path


def interpreter(folder, lacking):
    """A Python that is like this one, but lacks something."""
    path = folder / "python3.11"
    path.write_text(f'#!/bin/sh\ncase "$*" in {lacking}) exit 1;; esac\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def setup(clone, *arguments, **environ):
    return subprocess.run(
        ["bash", clone / "requirements/setup.sh", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        check=False,
    )


def test_without_pip_and_ensurepip_it_names_the_package_to_install(clone):
    made = setup(clone, "pipeline", interpreter(clone, '*"-m pip"*|*ensurepip*'))
    assert made.returncode == 1
    assert "has neither pip nor ensurepip" in made.stderr
    assert "apt-get install python3-venv" in made.stderr


def test_without_a_new_enough_python_it_says_so(clone, tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "dirname", "sed", "cat", "sha256sum"):
        (tools / tool).symlink_to(shutil.which(tool))
    made = setup(clone, "pipeline", PATH=str(tools))
    assert made.returncode == 1
    assert made.stderr.startswith("shipway: Python 3.11 or newer is needed and was not found")


@pytest.mark.slow
@pytest.mark.network
def test_it_is_made_once_and_left_alone_until_a_lock_file_changes(clone):
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    made = setup(clone, "pipeline", sys.executable)
    assert made.returncode == 0, made.stderr
    assert "making .venv" in made.stderr
    assert (clone / ".venv/bin/dagger").exists()
    again = setup(clone, "pipeline", sys.executable)
    assert (again.returncode, again.stderr) == (0, "")
    with open(clone / "requirements/pipeline.txt", "a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    changed = setup(clone, "pipeline", sys.executable)
    assert changed.returncode == 0, changed.stderr
    assert "installing requirements/pipeline.txt" in changed.stderr
    assert "making .venv" not in changed.stderr


def test_a_broken_setting_of_the_machine_is_named_before_anything_is_installed(clone):
    (clone / ".venv/bin").mkdir(parents=True)
    for name in ("python", "uv"):
        (clone / ".venv/bin" / name).symlink_to(sys.executable)
    made = setup(clone, "pipeline", PIP_CERT="/no/ca.pem")
    assert made.returncode != 0
    assert "PIP_CERT names a CA bundle that cannot be read" in made.stderr
