"""The page of figures: one table for each part, any of which can be measured anew by itself."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEAD = "# Benchmarks\n\nWritten by `make bench`; `make bench ARGS='--only cloud'` measures one part anew.\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what was measured, what was asked for, both results with their units, and a remark."""

    what: str
    asked: str
    ours: str
    plain: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A section of the page: `words` say how it was measured, `columns` whose results are in the two."""

    title: str
    words: str
    columns: tuple[str, str]

    def text(self, rows: list[Row]) -> str:
        """The section in Markdown, without its title."""
        system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
        ours, plain = self.columns
        lines = [
            f"Measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores, {system}.",
            self.words,
            "",
            f"| what | asked for | {ours} | {plain} | |",
            "| --- | --- | ---: | ---: | --- |",
            *(f"| {each.what} | {each.asked} | {each.ours} | {each.plain} | {each.note} |" for each in rows),
        ]
        return "\n".join(lines) + "\n"


def write(page: Path, titles: list[str], measured: dict[str, str]) -> str:
    """Write the page: sections in the order of `titles`, those not `measured` as they were; its text."""
    sections = {**_sections(page), **measured}
    parts = [f"\n## {title}\n\n{sections[title]}" for title in titles if title in sections]
    text = HEAD + "".join(parts)
    page.write_text(text, encoding="utf-8")
    return text


def _sections(page: Path) -> dict[str, str]:
    """What a page has under each title."""
    _, *sections = page.read_text(encoding="utf-8").split("\n## ")
    return {title: text.strip("\n") + "\n" for title, _, text in (each.partition("\n") for each in sections)}
