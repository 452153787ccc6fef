"""A step has its share of the host's processes and memory, and is told when it wants more."""

import pytest

MOST = 60


@pytest.fixture(scope="module")
def limited(open_session):
    """A session whose steps may have little."""
    return open_session(SHIPWAY_STEP_PROCESSES=str(MOST), SHIPWAY_STEP_MEMORY="160m")


@pytest.mark.slow
def test_a_fork_bomb_is_contained_and_ends_with_a_clear_error(limited):
    bomb = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
    code, _, stderr = limited.run(bomb)
    assert code != 0
    assert f"[the step wanted more than {MOST} processes at once, and was ended for it" in stderr
    assert "SHIPWAY_STEP_PROCESSES" in stderr
    assert limited.run("print('still here')") == (0, "still here\n", "")


def test_a_step_that_can_not_fork_sees_why(limited):
    greedy = "import os, time\nfor _ in range(100):\n  if not os.fork(): time.sleep(30)"
    code, _, stderr = limited.run(greedy)
    assert code == 1
    assert "Resource temporarily unavailable" in stderr
    assert f"wanted more than {MOST} processes" in stderr


def test_a_step_that_takes_too_much_memory_is_killed_as_in_a_container(limited):
    code, stdout, stderr = limited.run("print('before', flush=True); b'x' * (400 << 20)")
    assert (code, stdout) == (137, "before")
    assert "took more than 160 MiB of memory" in stderr
    assert "SHIPWAY_STEP_MEMORY" in stderr


def test_the_next_step_starts_with_all_of_its_share(limited):
    limited.run("b'x' * (400 << 20)")
    assert limited.run("b'x' * (80 << 20); print('fits')") == (0, "fits\n", "")


@pytest.mark.parametrize(
    ("name", "value"), [("SHIPWAY_STEP_MEMORY", "plenty"), ("SHIPWAY_STEP_PROCESSES", "4g")]
)
def test_a_limit_that_makes_no_sense_is_named(open_session, name, value):
    _, _, told = open_session(**{name: value}).run("print()")
    assert f"{name} is '{value}'" in told
