"""Parts of packages can be had without the others."""

import subprocess
import sys

import pytest

from ci.engine import images, sandbox

PACKAGE = {
    "__init__.py": "from pack.b import B\nA = 1\n",
    "a.py": "HERE = 1\n",
    "b.py": "B = 2\n",
    "c.py": "C = 3\n",
}


@pytest.fixture
def loaded(tmp_path):
    """What is loaded of a package after some code has run."""
    (tmp_path / "pack").mkdir()
    for name, text in PACKAGE.items():
        (tmp_path / "pack" / name).write_text(text)

    def run(code: str) -> list[str]:
        code = f"import sys\nfrom ci.engine.partial import in_parts\nin_parts('pack', C='pack.c')\n{code}\n"
        code += "print(*sorted(name for name in sys.modules if name.startswith('pack.')))"
        environ = {"PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    return run


def test_a_part_is_imported_alone(loaded):
    assert loaded("import pack.a; assert pack.a.HERE == 1") == ["pack.a"]


def test_a_name_whose_part_is_known_takes_that_part_alone(loaded):
    assert loaded("from pack import C; assert C == 3") == ["pack.c"]


def test_the_package_itself_is_there_for_whoever_asks_for_it(loaded):
    assert loaded("import pack.a; from pack import A, B; assert (A, B) == (1, 2)") == ["pack.a", "pack.b"]


def test_a_name_that_the_package_does_not_have_is_an_import_error(loaded):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        loaded("from pack import nothing")
    assert "ImportError: cannot import name 'nothing' from 'pack'" in failed.value.stderr


@pytest.mark.parametrize("package", [images, sandbox])
def test_every_name_that_a_package_announces_is_in_one_of_its_parts(package):
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018
