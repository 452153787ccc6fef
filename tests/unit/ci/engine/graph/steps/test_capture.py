"""What is kept of a step's output: all that may be asked for, and of more than that the end."""

import pytest

from ci.engine.errors import OUTPUT_LIMIT, EngineError
from ci.engine.graph.steps import capture
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state", Ownership(on_disk=False))
    yield store
    store.close()


@pytest.fixture
def little(monkeypatch):
    """The most that is kept, for this test."""
    monkeypatch.setattr(capture, "LIMIT", 1_000_000)
    return 1_000_000


def written(folder, *pieces, **how):
    kept = capture.Capture(folder, "out", **how)
    for piece in pieces:
        kept.write(piece)
    return kept


@pytest.mark.parametrize("size", [0, 10, 200_000, 1_000_000])
def test_what_may_be_asked_for_is_kept_whole(tmp_path, store, little, size):
    data = bytes(range(250)) * (size // 250)
    kept = written(tmp_path, data[: size // 3], data[size // 3 :])
    assert capture.read_text(store, kept.keep(store)) == data
    kept.close()


def test_of_more_the_end_is_kept_and_the_disk_is_given_back(tmp_path, store, little):
    kept = written(tmp_path, *[b"%07d\n" % number for number in range(500_000)])
    assert (tmp_path / "out").stat().st_size == 0
    end = kept.tail(OUTPUT_LIMIT)
    assert end.startswith(f"[omitting {4_000_000 - OUTPUT_LIMIT} bytes]...")
    assert end.endswith("0499998\n0499999\n")
    assert len(end) == OUTPUT_LIMIT
    with pytest.raises(EngineError, match=f"^file size 4000000 exceeds limit {little}$"):
        capture.read_text(store, kept.keep(store))
    capture.lacking(store, kept.keep(store))
    kept.close()


def test_an_output_that_goes_to_a_file_is_kept_whole(tmp_path, store, little):
    kept = written(tmp_path, *[b"x" * 100_000] * 30, whole=True)
    assert len(capture.read_text(store, kept.keep(store))) == 3_000_000
    kept.close()


@pytest.mark.parametrize("size", [5, 100_000])
def test_the_end_of_a_short_output_is_all_of_it(tmp_path, size):
    kept = written(tmp_path, b"y" * size)
    assert kept.tail(OUTPUT_LIMIT) == "y" * size
    kept.close()
