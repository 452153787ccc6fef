"""The pre-commit hooks catch what they are there for, without fetching anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with this project's hooks and tools, and one clean file."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / ".venv").symlink_to(Path(sys.prefix))
    for name in (".pre-commit-config.yaml", "pyproject.toml", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    (folder / ".gitignore").write_text((ROOT / ".gitignore").read_text() + ".venv\n")
    (folder / "app").mkdir()
    (folder / "app/__init__.py").write_text('"""Clean."""\n')
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def hook(repository, name, path, content):
    """Run one hook on one file; returns exit code and output."""
    file = repository / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    subprocess.run(["git", "add", "--force", path], cwd=repository, check=True)
    try:
        ran = subprocess.run(
            [PRE_COMMIT, "run", name, "--files", path],
            cwd=repository,
            capture_output=True,
            text=True,
            env={**os.environ, "PRE_COMMIT_HOME": str(repository / ".git/pre-commit")},
            check=False,
        )
    finally:
        subprocess.run(["git", "rm", "--quiet", "--cached", "--force", path], cwd=repository, check=True)
        file.unlink()
    return ran.returncode, ran.stdout


@pytest.mark.parametrize(
    ("name", "path", "content", "says"),
    [
        ("trailing-whitespace", "app/a.py", "x = 1 \n", "trailing whitespace"),
        ("end-of-file", "app/a.py", "x = 1", "Fixing app/a.py"),
        (
            "merge-conflict",
            "app/a.py",
            "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\n",
            "Merge conflict string",
        ),
        ("yaml", "a.yaml", "a: [1\n", "expected ',' or ']'"),
        ("toml", "a.toml", "a = \n", "a.toml"),
        ("large-files", "big.bin", b"0" * 700_000, "684 KB"),
        ("ruff", "app/a.py", '"""Doc."""\n\nimport os\n', "F401"),
        ("ruff-format", "app/a.py", '"""Doc."""\n\nx = {  }\n', "reformatted"),
        ("pylint", "app/a.py", '"""Doc."""\n\nprint(undefined)\n', "undefined-variable"),
        ("actionlint", ".github/workflows/a.yml", "on: push\njobs: {}\n", "jobs"),
    ],
)
def test_a_violation_is_caught(repository, name, path, content, says):
    code, output = hook(repository, name, path, content)
    assert code == 1
    assert says in output


@pytest.mark.parametrize(
    "name", ["trailing-whitespace", "end-of-file", "merge-conflict", "large-files", "ruff", "pylint"]
)
def test_a_clean_file_passes(repository, name):
    code, output = hook(repository, name, "app/a.py", '"""Clean too."""\n\nX = 1\n')
    assert code == 0, output
    assert "Passed" in output


def test_nothing_is_fetched_to_run_them():
    assert "repo: http" not in (ROOT / ".pre-commit-config.yaml").read_text()
