"""A small real image: this Python, the few modules that the tiny server needs, and the server."""

import atexit
import functools
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path

from ci.engine.images import Image, ImageConfig, Member, pack, write_archive
from ci.engine.store.blobs import Blobs

SERVER = Path(__file__).with_name("tiny_server.py")
FAST = Path(__file__).with_name("fast_server.py")
_MODULES = (
    "import base64, hashlib, json, os, select, signal, socket, sys, threading, time, urllib.parse, "
    "encodings.latin_1, encodings.idna"
)
_LIST = "print('\\n'.join(m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)))"
_PASSWD = b"root:x:0:0:root:/root:/bin/sh\nserver:x:1234:1235::/home/server:/bin/sh\n"


def write_image(folder: Path, name: str = "tiny", *, user: str = "", workdir: str = "/srv") -> str:
    """Write the image as an archive; the reference that names it."""
    layers, blobs = _packed()
    config = ImageConfig(
        user=user,
        env=("PATH=/usr/bin", "PYTHONHOME=/usr", "PYTHONDONTWRITEBYTECODE=1", "FROM_IMAGE=yes"),
        entrypoint=("python", "-S", "/srv/server.py"),
        workdir=workdir,
    )
    path = folder / f"{name}.tar"
    with path.open("wb") as file:
        write_archive([Image(config, layers)], blobs, file)
    return f"oci-archive:{path}"


@functools.cache
def _packed():
    """The layers, and where their bytes are; compressed once in this process."""
    folder = Path(tempfile.mkdtemp(prefix="shipway-image-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    blobs = Blobs(folder)
    return (pack(_python(), blobs), pack(_server(), blobs)), blobs


def interpreter():
    """The Python that this one was made from, outside any virtual environment."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _server():
    yield _file("srv/server.py", SERVER)
    if FAST.exists():
        yield _file("srv/fast.py", FAST)


def _python():
    program = interpreter()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    command = [program, "-S", "-c", f"{_MODULES}; {_LIST}"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    stdlib = Path(next((name for name in listing if name.endswith("/os.py")), os.__file__)).parent
    files = {f"usr/lib/{version}/{Path(name).relative_to(stdlib)}": Path(name) for name in listing}
    # As an installation has them: compiled. They are taken for the source's by its time.
    compiled = {path: Path(cache_from_source(name)) for path, name in files.items() if path.endswith(".py")}
    files |= {cache_from_source(path): found for path, found in compiled.items() if found.exists()}
    files["usr/bin/python"] = program
    for binary in (program, *(path for path in files.values() if path.suffix == ".so")):
        linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False).stdout
        files |= {found.lstrip("/"): Path(found) for found in re.findall(r"(/\S+) \(0x", linked)}
    folders = {str(parent) for path in files for parent in Path(path).parents} - {"."}
    for each in sorted(folders | {"etc", "srv", "tmp", "proc", "home", "home/server"}):
        yield Member(each, "dir", 0o1777 if each == "tmp" else 0o755)
    yield from (_file(path, source) for path, source in files.items())
    yield Member("etc/passwd", size=len(_PASSWD), open=partial(io.BytesIO, _PASSWD))


def _file(path, source):
    found = source.stat()
    return Member(
        path, mode=0o755, size=found.st_size, mtime=found.st_mtime_ns, open=partial(source.open, "rb")
    )
