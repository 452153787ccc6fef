"""The limits of a container, by the environment and the host."""

import os

import pytest

from ci.engine.sandbox.limits import BadLimit, limits

GIB = 1 << 30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512m", 512 << 20),
        ("4g", 4 * GIB),
        ("4 GiB", 4 * GIB),
        ("1000", 1000),
        ("2T", 2048 * GIB),
        ("max", None),
    ],
)
def test_memory_is_given_in_bytes_or_with_a_unit(text, size):
    assert limits({"SHIPWAY_STEP_MEMORY": text}).memory == size


@pytest.mark.parametrize("text", ["lots", "-1", "0", "4x", "1.5g"])
def test_what_is_no_size_is_told_with_the_remedy(text):
    with pytest.raises(BadLimit, match=f"SHIPWAY_STEP_MEMORY is '{text}': give it a size like 4g"):
        limits({"SHIPWAY_STEP_MEMORY": text})


def test_processes_are_a_number():
    assert limits({"SHIPWAY_STEP_PROCESSES": "100"}).processes == 100
    assert limits({"SHIPWAY_STEP_PROCESSES": "none"}).processes is None
    with pytest.raises(BadLimit, match="give it a number"):
        limits({"SHIPWAY_STEP_PROCESSES": "4k"})


def test_without_a_word_they_are_a_share_of_the_host():
    found = limits({"SHIPWAY_STEP_MEMORY": " "})
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert found.memory is not None
    assert found.processes is not None
    assert 0.5 * total < found.memory < total
    assert found.processes >= 1000
