"""The engine's own cache by Dagger's API: what is in it, and dropping it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagger
import pytest

DAGGER = str(Path(sys.executable).with_name("dagger"))
LIST = "{ engine { localCache { entrySet { entryCount diskSpaceBytes entries { description } } } } }"
IMPORT = '{ host { directory(path: ".") { entries } } }'


@pytest.mark.slow
async def test_a_step_that_ran_is_an_entry_that_is_in_use(base, dag):
    await base.with_exec(["true", "an entry"]).sync()
    newest = (await dag.engine().local_cache().entry_set().entries())[:20]  # others may use the cache too
    (mine,) = [entry for entry in newest if await entry.description() == "true 'an entry'"][:1]
    assert await mine.record_type() == "exec"
    assert await mine.actively_used()
    assert await mine.created_time_unix_nano() <= await mine.most_recent_use_time_unix_nano()


async def test_the_policy_is_told_in_bytes(dag):
    cache = dag.engine().local_cache()
    assert await cache.max_used_space() > 0
    assert await cache.reserved_space() < await cache.max_used_space()


async def test_a_size_that_means_nothing_is_refused_by_name(dag):
    with pytest.raises(dagger.QueryError, match=r"max_used_space is 'much'.*10GB"):
        await dag.engine().local_cache().prune(max_used_space="much")


@pytest.mark.slow
def test_pruning_drops_what_no_session_uses(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "file").write_bytes(os.urandom(1000))

    def query(text: str) -> dict:
        environ = {**os.environ, "SHIPWAY_STATE": str(tmp_path / "state")}
        command = [DAGGER, "query", "--silent", "--embedded", "--workdir", str(work)]
        done = subprocess.run(command, input=text, env=environ, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["engine"]["localCache"] if "engine" in text else {}

    query(IMPORT)
    before = query(LIST)["entrySet"]
    assert before["entryCount"] == 1
    assert before["diskSpaceBytes"] >= 1000
    query("{ engine { localCache { prune } } }")
    assert query(LIST)["entrySet"] == {"entryCount": 0, "diskSpaceBytes": 0, "entries": []}
