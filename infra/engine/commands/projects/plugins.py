"""``pulumi plugin ls|install|rm``: plugins in Pulumi's folder, that the engine starts and doesn't fetch."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

SERVED = frozenset({"command", "gcp", "pulumi", "pulumi-python", "random"})
_KINDS = ("resource", "language", "analyzer", "converter", "tool")
_FOLDER = re.compile(r"(?P<kind>[a-z]+)-(?P<name>.+)-v(?P<version>\d+\.\d+\.\d+\S*)")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that is installed."""

    kind: str
    name: str
    version: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.lstat().st_size for file in self.folder.rglob("*") if file.is_file())


def installed(home: Path) -> Iterator[Plugin]:
    """The plugins in Pulumi's folder, by name."""
    folder = home / "plugins"
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.is_dir() and (match := _FOLDER.fullmatch(entry.name)):
            yield Plugin(match["kind"], match["name"], match["version"], entry)


def list_(call: Invocation) -> None:
    """List the plugins that are installed; those of this engine need none."""
    from infra.engine.commands.line.text import age, json_text, milliseconds, table

    rows, entries, total = [], [], 0
    for plugin in installed(call.home.folder):
        size, status = plugin.size, plugin.folder.stat()
        made, used = (datetime.fromtimestamp(at, UTC) for at in (status.st_mtime, status.st_atime))
        total += size
        rows.append((plugin.name, plugin.kind, plugin.version, human(size), age(made), age(used)))
        entry: dict[str, object] = {"name": plugin.name, "kind": plugin.kind, "version": plugin.version}
        times = {"installTime": milliseconds(made), "lastUsedTime": milliseconds(used)}
        entries.append(entry | {"size": size} | times)
    if call.json:
        print(json_text(entries))
        return
    print(table(("NAME", "KIND", "VERSION", "SIZE", "INSTALLED", "LAST USED"), rows))
    print(f"\nTOTAL plugin cache size: {human(total)}")


def human(size: int) -> str:
    """A size for people, in powers of a thousand."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.1f} {unit}" if unit != "B" and number < 10 else f"{number:.0f} {unit}"


def install(call: Invocation) -> None:
    """Accept the packages that the engine serves itself; others are not downloaded. Raises ExitError."""
    if not call.words or call.words[0] == "language" or len(call.words) < 2:
        return
    name = call.words[1]
    if name in SERVED:
        print(f"{name} is served by the embedded engine itself: nothing to install")
        return
    raise ExitError(
        f"the embedded engine downloads no plugins: put pulumi-resource-{name} on PATH or into"
        f" {call.home.folder}/plugins, or install the Pulumi CLI"
    )


def remove(call: Invocation) -> None:
    """Remove plugins, of a kind, a name and a version as far as they are given."""
    kind, name, version = (*call.words, "", "", "")[:3]
    if not kind and not call.flags["all"]:
        raise ExitError("please pass --all if you'd like to remove all plugins")
    if kind and kind not in _KINDS:
        raise ExitError(f"unrecognized plugin kind: {kind}; it may be {', '.join(_KINDS)}")
    doomed = [
        plugin
        for plugin in installed(call.home.folder)
        if kind in {"", plugin.kind}
        and name in {"", plugin.name}
        and version.lstrip("v=") in {"", plugin.version}
    ]
    if not doomed:
        print("no plugins found to uninstall")
        return
    if not call.flags["yes"]:
        print(f"This will remove {len(doomed)} plugin{'' if len(doomed) == 1 else 's'} from the cache:")
        print("".join(f"    {plugin.kind} {plugin}\n" for plugin in doomed), end="")
    if not prompts.confirmed(call, "Remove them?"):
        return
    for plugin in doomed:
        shutil.rmtree(plugin.folder)
        for beside in (".lock", ".partial"):
            plugin.folder.with_name(plugin.folder.name + beside).unlink(missing_ok=True)
        print(f"removed: {plugin.kind} {plugin}")
