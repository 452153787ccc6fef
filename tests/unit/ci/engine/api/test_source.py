"""The derived schema on disk."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ci.engine.api import source


def test_the_schema_is_derived_once_and_read_from_then_on(tmp_path, monkeypatch):
    first = source.installed(tmp_path)
    monkeypatch.setattr(source, "_derive", lambda *_: pytest.fail("derived again"))
    again = source.installed(tmp_path)
    assert again.folder == first.folder
    assert again.schema.objects["Container"].fields["withExec"].arguments["args"].required


def test_deriving_never_imports_the_sdk(tmp_path, monkeypatch):
    for name in [m for m in sys.modules if m == "dagger" or m.startswith("dagger.")]:
        monkeypatch.delitem(sys.modules, name)
    source.installed(tmp_path)
    assert "dagger" not in sys.modules


def test_what_a_killed_session_left_unfinished_is_not_taken_for_a_schema(tmp_path):
    (tmp_path / "schema" / "unfinished-x").mkdir(parents=True)
    (tmp_path / "schema" / "unfinished-x" / "table.json").write_text('{"obj')
    assert "Container" in source.installed(tmp_path).schema.objects


def test_sessions_that_derive_at_the_same_time_share_one_result(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(source.installed, [tmp_path] * 3))
    assert len({f.folder for f in found}) == 1
    assert [p.name for p in (tmp_path / "schema").iterdir()] == [found[0].folder.name]


def test_without_the_sdk_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(source.SdkNotFoundError, match="pip install dagger-io"):
        source.installed(tmp_path)
