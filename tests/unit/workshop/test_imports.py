"""Imports go one way, as the design has it."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def lint(folder):
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_every_rule_of_the_design_is_kept():
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout
    assert " 0 broken" in checked.stdout


def test_an_import_the_wrong_way_is_found(tmp_path):
    for name, text in {
        "app/__init__.py": "",
        "ci/__init__.py": "",
        "ci/engine/__init__.py": "import ci.stages",
        "ci/stages/__init__.py": "import app",
        "infra/__init__.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for module in named_modules() - {"app", "ci", "ci.engine", "ci.stages", "dagger", "infra"}:
        (tmp_path / f"{module.replace('.', '/')}.py").write_text("")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    checked = lint(tmp_path)
    assert checked.returncode == 1
    assert "never import it BROKEN" in checked.stdout
    assert "never imports Dagger's SDK BROKEN" in checked.stdout


def test_the_rules_cover_every_module_of_the_pipeline():
    named = next(set(each["source_modules"]) for each in contracts() if "ci.stages" in each["source_modules"])
    assert named == own_modules()


def contracts():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def named_modules():
    return {name for each in contracts() for name in (*each["source_modules"], *each["forbidden_modules"])}


def own_modules():
    files = {f"ci.{path.stem}" for path in (ROOT / "ci").glob("*.py")} - {"ci.__init__"}
    rooms = {f"ci.{path.parent.name}" for path in (ROOT / "ci").glob("*/__init__.py")}
    return (files | rooms) - {"ci.engine"}
