"""A session on a fresh state folder starts warm from what another one left in a folder or a registry."""

import gzip
import json
import uuid
from pathlib import Path

import pytest

from tests.bench.engine_session import BASE, engine

pytestmark = [pytest.mark.slow, pytest.mark.embedded]
BOTH = "_EXPERIMENTAL_DAGGER_CACHE_CONFIG"


def pipeline(run: str, secret: str) -> str:
    """A query for steps that print what no two runs print alike; one is given a secret."""
    now = json.dumps(["sh", "-c", "cat /proc/sys/kernel/random/uuid | tee /id", run])
    script = f'test -n "$TOKEN" && cat /id /volume/* 2>/dev/null; echo {run} | tr 0-9 g-p >/volume/v'
    used = json.dumps(["sh", "-c", script])
    inner = f'withMountedCache(path: "/volume", cache: "%s") {{ withExec(args: {used}) {{ stdout }} }}'
    with_secret = f'withSecretVariable(name: "TOKEN", secret: "{secret}") {{ {inner} }}'
    return f'{{ container {{ from(address: "{BASE}") {{ withExec(args: {now}) {{ {with_secret} }} }} }} }}'


def outcome(workdir: Path, run: str, value: str, **environ: str) -> str:
    with engine(workdir, **environ) as session:
        name = f"token-{run}"
        made = session.ask(f'{{ setSecret(name: "{name}", plaintext: "{value}") {{ id }} }}')
        secret = made["setSecret"]["id"]
        volume = session.ask(f'{{ cacheVolume(key: "{run}") {{ id }} }}')["cacheVolume"]["id"]
        found = session.ask(pipeline(run, secret) % volume)
    while isinstance(found, dict):
        (found,) = found.values()
    return found


def test_steps_are_cached_on_a_machine_that_never_ran_them(tmp_path: Path) -> None:
    run, value = uuid.uuid4().hex, f"hidden-{uuid.uuid4().hex}"
    in_volume = run.translate(str.maketrans("0123456789", "ghijklmnop"))
    place = tmp_path / "cache"
    config = f"type=local,dest={place},mode=max"
    first = outcome(tmp_path, run, value, **{BOTH: config})
    second = outcome(tmp_path, run, value, SHIPWAY_STATE=str(tmp_path / "fresh"), **{BOTH: config})
    assert second == first
    for blob in (place / "blobs/sha256").iterdir():
        data = blob.read_bytes()
        plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        assert value.encode() not in plain
        assert in_volume.encode() not in plain


def test_a_damaged_cache_is_one_warning_and_the_steps_run(tmp_path: Path) -> None:
    run, place = uuid.uuid4().hex, tmp_path / "cache"
    config = f"type=local,dest={place}"
    first = outcome(tmp_path, run, "value", **{BOTH: config})
    for blob in (place / "blobs/sha256").iterdir():
        if blob.stat().st_size < 1 << 20:
            data = bytearray(blob.read_bytes())
            data[len(data) // 2] ^= 1
            blob.write_bytes(data)
    images = tmp_path / "other"
    outcome(tmp_path, uuid.uuid4().hex, "value", **{BOTH: f"type=local,dest={images}"})
    sources = f"type=local,src={place};type=local,src={images}"  # the second has the base image
    importing = {"_EXPERIMENTAL_DAGGER_CACHE_IMPORT_CONFIG": sources}
    assert outcome(tmp_path, run, "value", SHIPWAY_STATE=str(tmp_path / "fresh"), **importing) != first
