"""Where the state folder is, and what is said when it cannot be had."""

import errno
from pathlib import Path

import pytest

from ci.engine import state


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"SHIPWAY_STATE": "/s", "XDG_CACHE_HOME": "/c"}, "/s"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/shipway"),
        ({"XDG_CACHE_HOME": "relative"}, "/h/.cache/shipway"),
        ({}, "/h/.cache/shipway"),
    ],
)
def test_the_folder_is_the_one_named_or_in_the_users_cache(monkeypatch, environ, path):
    monkeypatch.setenv("HOME", "/h")
    assert state.root(environ) == Path(path)


def test_the_folder_is_made_with_a_room_for_this_version_and_nothing_is_left_in_it(tmp_path):
    folder = state.folder({"SHIPWAY_STATE": str(tmp_path / "a" / "b")})
    assert folder == tmp_path / "a" / "b" / state.LAYOUT
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_with_the_folder_and_the_remedy(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(state.StateError, match=rf"{tmp_path}.*No space left on device.*SHIPWAY_STATE"):
        state.folder({"SHIPWAY_STATE": str(tmp_path)})


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(state.StateError, match=r"Not a directory|File exists"):
        state.folder({"SHIPWAY_STATE": str(tmp_path / "f")})
