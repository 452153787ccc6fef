"""Bytecode for the image: the same bytes each time, and used without a look at its source."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = """
NAMES = {"b", "a", "c"}
def known(name):
    return name in {"x", "y", "z"} or name in NAMES
"""
COMPILE = """
import sys
from pathlib import Path
from ci.stages.inside.bytecode import main
out, folder, library = map(Path, sys.argv[1:])
main(out, [folder], library)
"""


@pytest.fixture
def folder(tmp_path):
    """A package, and something that is no Python."""
    folder = tmp_path / "lib"
    (folder / "package").mkdir(parents=True)
    (folder / "package/__init__.py").write_text(SOURCE)
    (folder / "package/template.py").write_text("{{ no Python }}")
    return folder


@pytest.fixture
def library(tmp_path):
    """What Python itself has, with packages beside it."""
    library = tmp_path / "library"
    for name in ("json/decoder.py", "idlelib/editor.py", "site-packages/pip/main.py"):
        (library / name).parent.mkdir(parents=True)
        (library / name).write_text(SOURCE)
    return library


def compiled(out, folder, library):
    """The bytecode that a process of its own makes, by its place below the root."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    subprocess.run([sys.executable, "-c", COMPILE, out, folder, library], check=True, env=environment)
    return {Path("/", path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.pyc"))}


def test_the_same_sources_give_the_same_bytecode(tmp_path, folder, library):
    first = compiled(tmp_path / "first", folder, library)
    os.utime(folder / "package/__init__.py", (1, 1))
    assert compiled(tmp_path / "second", folder, library) == first


def test_packages_and_the_library_are_compiled_and_not_what_no_service_loads(tmp_path, folder, library):
    found = compiled(tmp_path / "out", folder, library)
    sources = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in found}
    assert sources == {folder / "package/__init__.py", library / "json/decoder.py"}


def test_python_takes_it_without_a_look_at_its_source(tmp_path, folder, library):
    for path, content in compiled(tmp_path / "out", folder, library).items():
        path.parent.mkdir()
        path.write_bytes(content)
    (folder / "package/__init__.py").write_text("raise SystemExit('compiled again')")
    asked = [sys.executable, "-c", "import package; print(package.known('y'))"]
    assert subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=True).stdout == "True\n"
