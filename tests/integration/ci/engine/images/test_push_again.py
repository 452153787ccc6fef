"""Pushing an unchanged image again takes no time and sends no layer."""

import shutil

import pytest

from tests.bench import registry
from tests.bench.engine_session import engine

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture
def on_path(registry_program, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / registry.PROGRAM).symlink_to(registry_program)
    if shutil.which(registry.PROGRAM) is None:
        monkeypatch.setenv("PATH", f"{tmp_path}/bin", prepend=":")


@pytest.mark.usefixtures("on_path")
def test_two_hundred_megabytes_are_pushed_again_in_under_a_second_and_none_of_them_sent(tmp_path):
    with engine(tmp_path) as session:
        first, *again = registry.measure(session.ask)
    assert first.sent > registry.SIZE
    for push in again:
        assert push.sent == 0
        assert push.seconds < 1
