"""The flags that every command has, and what they say."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ci.engine.commands.arguments.flags import Flag
from ci.engine.commands.arguments.kinds import COUNT, SWITCH, TEXT
from ci.engine.commands.manner import progress_of, workdir_of
from ci.engine.progress import MODES

HELP = Flag("help", SWITCH, "Print usage", short="h", hidden=True)
GLOBALS = (
    Flag(
        "auto-apply", SWITCH, "Apply the changes of a changeset that is returned, without asking", short="y"
    ),
    Flag("debug", SWITCH, "Show everything", short="d"),
    Flag("embedded", SWITCH, "Serve from the embedded engine"),
    Flag("interactive", SWITCH, "Open a terminal in a container whose command failed", short="i"),
    Flag("interactive-command", TEXT, "What to run there", default="/bin/sh"),
    Flag("no-embedded", SWITCH, "Hand over to the real dagger"),
    Flag("progress", TEXT, f"How to show progress ({', '.join(MODES[:-1])})", default="auto"),
    Flag("quiet", COUNT, "Show less of it", short="q"),
    Flag("silent", SWITCH, "Show no progress at all", short="s"),
    Flag("verbose", COUNT, "Show more of it", short="v"),
    # What has no use here is taken all the same: a script is not to fail for it.
    Flag("lock", TEXT, hidden=True),
    Flag("no-exit", SWITCH, short="E", hidden=True),
    Flag("web", SWITCH, short="w", hidden=True),
    Flag("workdir", TEXT, hidden=True),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a command is to work: where, how its progress is shown, and what it may ask."""

    workdir: Path
    progress: str
    brief: bool = False
    interactive: tuple[str, ...] = ()
    auto_apply: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of the flags.

        Raises:
            EngineError: there is no such folder, or progress cannot be shown like that.
        """
        command = values.get("interactive-command") or "/bin/sh"
        quiet = bool(values.get("quiet"))
        silent = bool(values.get("silent")) or os.environ.get("DAGGER_SILENT", "") in {"1", "t", "true"}
        return cls(
            workdir_of(values.get("workdir")),
            progress_of(values.get("progress"), silent=silent, quiet=quiet, live=True),
            quiet,
            tuple(shlex.split(command)) if values.get("interactive") else (),
            bool(values.get("auto-apply")),
        )
