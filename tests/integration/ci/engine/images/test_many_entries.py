"""A layer of very many entries is unpacked in bounded memory, so much for each of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: Disks take minutes for more; a million took 640 MB and 209 s, on a busy one.
ENTRIES = 100_000
PROGRAM = """
import gzip, hashlib, json, sys, tarfile
from pathlib import Path
from ci.engine.graph import imaging
from ci.engine.images import Image, ImageConfig, Layer
from ci.engine.store.layers import Ownership
from ci.engine.store.store import Store

count, plain = int(sys.argv[1]), hashlib.sha256()
store = Store(Path(sys.argv[2]), Ownership(on_disk=False))

def write(out, data):
    plain.update(data)
    out.write(data)

with store.blobs.writer() as blob, gzip.GzipFile(fileobj=blob, mode="wb", compresslevel=1) as out:
    for number in range(count):
        if number % 1000 == 0:
            folder = tarfile.TarInfo(f"d{number // 1000}")
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            write(out, folder.tobuf())
        write(out, tarfile.TarInfo(f"d{number // 1000}/file{number}").tobuf())
    write(out, bytes(1024))
layer = Layer(blob.digest, f"sha256:{plain.hexdigest()}", blob.size, "")
shown = imaging.show(store, Image(ImageConfig(), (layer,)))
status = Path("/proc/self/status").read_text()  # getrusage would count what this was forked from, too
most = int(status.partition("VmHWM:")[2].split()[0]) * 1024
names = sum(len(store.trees.load(folder.digest)) for folder in store.trees.load(shown.tree).values())
print(json.dumps({"memory": most, "names": names}))
"""


@pytest.fixture
def place(tmp_path):
    yield tmp_path / "state"
    shutil.rmtree(tmp_path / "state")  # pytest would keep them all


@pytest.mark.slow
def test_an_entry_takes_less_than_a_kilobyte(place: Path):
    command = [sys.executable, "-c", PROGRAM, str(ENTRIES), str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["names"] == ENTRIES
    assert found["memory"] < ENTRIES * 1000 + (64 << 20)
