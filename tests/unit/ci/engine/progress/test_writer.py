"""Text that is written from a thread of its own."""

import threading

from ci.engine.progress import writer
from ci.engine.progress.writer import Writer


class Stuck:
    """A terminal that takes nothing until it is let go on."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.called = threading.Event()
        self.free = threading.Event()

    def write(self, text: str) -> None:
        self.called.set()
        self.free.wait()
        self.taken.append(text)

    def flush(self) -> None:
        pass


def test_beyond_so_many_characters_whoever_writes_waits_for_a_slow_terminal(monkeypatch):
    monkeypatch.setattr(writer, "WAITING", 100)
    stuck, through = Stuck(), threading.Event()
    with Writer(stuck) as to:
        to.write("first")
        stuck.called.wait(10)
        to.write("x" * 60)
        to.write("y" * 60)

        def more() -> None:
            to.write("last")
            through.set()

        threading.Thread(target=more).start()
        assert not through.wait(0.2)
        stuck.free.set()
        assert through.wait(10)
    assert stuck.taken == ["first", "x" * 60, "y" * 60, "last"]


def test_empty_texts_are_written_too():
    stuck = Stuck()
    stuck.free.set()
    with Writer(stuck) as to:
        to.write("")
        to.write("end")
    assert stuck.taken == ["", "end"]
