"""Cache volumes that are used in turn."""

import threading

import anyio

from ci.engine.graph.volume import held


async def test_whoever_goes_away_while_a_locked_volume_is_in_use_leaves_no_thread_that_waits_for_it(tmp_path):
    folder = tmp_path / "volume"
    before = threading.active_count()
    async with held(folder, "LOCKED"):
        with anyio.move_on_after(0.05):
            async with held(folder, "LOCKED"):
                raise AssertionError("it is in use")
        assert threading.active_count() == before
    with anyio.fail_after(5):
        async with held(folder, "LOCKED"):
            pass
