"""A new module gets a license where there is none around it."""

import pytest

from ci.engine.commands.modules import license_file
from ci.engine.commands.modules.asking import ModuleError


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module's folder in a repository, on a host that has the texts of two licenses."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "Apache-2.0").write_text("the text")
    (texts / "GPL-3").write_text("another text")
    monkeypatch.setattr(license_file, "_TEXTS", texts)
    folder = tmp_path / "repository/tools/module"
    folder.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    return folder


def test_it_is_written_where_there_is_none(module):
    assert license_file.add(module, "Apache-2.0", look_around=True)
    assert (module / "LICENSE").read_text() == "the text"


@pytest.mark.parametrize("name", ["LICENSE", "LICENCE.md", "COPYING.txt", "UNLICENSE", "MIT-LICENSE"])
@pytest.mark.parametrize("where", [".", "..", "../.."])
def test_one_up_to_the_top_of_the_repository_is_enough(module, name, where):
    (module / where / name).write_text("mine")
    assert not license_file.add(module, "Apache-2.0", look_around=True)


def test_one_beyond_the_repository_does_not_count(module):
    (module / "../../../LICENSE").write_text("somebody's")
    assert license_file.add(module, "Apache-2.0", look_around=True)


def test_one_that_is_asked_for_by_name_is_written_in_any_case(module):
    (module / "COPYING").write_text("mine")
    assert license_file.add(module, "GPL-3.0-or-later", look_around=False)
    assert (module / "LICENSE").read_text() == "another text"


@pytest.mark.parametrize("name", ["Nope-1.0", "../Apache-2.0"])
def test_one_whose_text_is_not_here_is_an_error_if_it_was_asked_for(module, name):
    assert not license_file.add(module, name, look_around=True)
    with pytest.raises(ModuleError, match="failed to get license"):
        license_file.add(module, name, look_around=False)
