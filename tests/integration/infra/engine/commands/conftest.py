"""A command line to type at: the embedded engine on a project, a backend and a home of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.engine.cli import main

ROOT = Path(__file__).parents[5]


@dataclass
class Result:
    code: int
    out: str
    err: str


@dataclass
class Shell:
    """``run`` serves a command in this process, ``start`` in another."""

    project: Path
    state: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *words: str, code: int = 0) -> str:
        result = self.result(*words)
        assert result.code == code, result.out + result.err
        return result.out if code == 0 else result.err

    def result(self, *words: str) -> Result:
        self.capture.readouterr()
        code = main(["--embedded", "--non-interactive", *words])
        out, err = self.capture.readouterr()
        return Result(code, out, err)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "infra.engine.cli", "--embedded", "--non-interactive", *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        nowhere = subprocess.DEVNULL  # what it starts may outlive it, with its output
        return subprocess.Popen(command, cwd=self.project, env=environment, stdout=nowhere, stderr=nowhere)

    def checkpoint(self) -> Path:
        return self.state / ".pulumi/stacks/shop/dev.json"

    def program(self, text: str) -> None:
        (self.project / "__main__.py").write_text(text, encoding="utf-8")


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """A project ``shop``, logged in, without a stack."""
    project, state = tmp_path / "shop", tmp_path / "state"
    project.mkdir()
    state.mkdir()
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "p")
    monkeypatch.setenv("PWD", str(project))
    monkeypatch.chdir(project)
    shell = Shell(project, state, capsys)
    shell.run("login", f"file://{state}")
    return shell


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Where the first stack that is made is kept for the next tests."""
    return tmp_path_factory.mktemp("kept") / "state"


@pytest.fixture
def dev(shell, kept):
    """The same with a stack ``dev``: made once and copied: a new passphrase takes its time, by design."""
    settings = "Pulumi.dev.yaml"
    if kept.exists():
        shutil.copytree(kept, shell.state, dirs_exist_ok=True)
        shutil.copy(kept.with_name(settings), shell.project)
        shell.run("stack", "select", "dev")
    else:
        shell.run("stack", "init", "dev")
        shutil.copytree(shell.state, kept)
        shutil.copy(shell.project / settings, kept.with_name(settings))
    return shell
