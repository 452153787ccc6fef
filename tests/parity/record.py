"""Answers on record: what Dagger's own engine gave, and which differences are accounted for."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.parity.answer import Answer

FOLDER = Path(__file__).parent / "expected"
ACCOUNTS = FOLDER / "differences.json"
#: Said beside every answer that `--record` writes.
SOURCE = "answered by Dagger's engine v0.21.8"


def expectations(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Answer]:
    """The answers on record, without what is said about where they come from."""
    return {
        (room, name): {key: value for key, value in _room(room)[name].items() if key != "source"}
        for room, name in wanted
        if name in _room(room)
    }


def without_source(room: str) -> list[str]:
    """The answers of a room that do not say where they come from."""
    return [name for name, answer in _room(room).items() if not answer.get("source")]


@cache
def _room(room: str) -> Mapping[str, Any]:
    path = FOLDER / f"{room}.json"
    found: Mapping[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def accounts() -> Mapping[str, str]:
    """Why an answer differs on purpose, by "ROOM: NAME"."""
    found: Mapping[str, str] = json.loads(ACCOUNTS.read_text("utf-8")) if ACCOUNTS.exists() else {}
    return found


def write(answers: Mapping[tuple[str, str], Answer]) -> None:
    """Put answers on record, in place of those of the same names."""
    FOLDER.mkdir(exist_ok=True)
    for room in sorted({room for room, _name in answers}):
        path = FOLDER / f"{room}.json"
        kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
        new = {name: {**answer, "source": SOURCE} for (its, name), answer in answers.items() if its == room}
        text = json.dumps({**kept, **new}, indent=1, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", "utf-8")
