"""What dpkg would have written down about the packages, so that apt and dpkg go on from there.

Formats: dpkg-query(1), deb-triggers(5), update-alternatives(1) and, for the files below /var/lib/dpkg, dpkg's
source.
"""

import hashlib
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ci.engine.images.debian.deb import Deb
from ci.engine.images.debian.root import Root

_LIB = "var/lib/dpkg"
_EXECUTABLE = ("preinst", "postinst", "prerm", "postrm", "config")
_SHELL_END = re.compile(r"\|\||&&|[;|&>]")


def record(root: Root, debs: Sequence[Deb]) -> None:
    """Write /var/lib/dpkg: everything is unpacked and configured, no trigger waits."""
    for name in ("alternatives", "info", "parts", "triggers", "updates"):
        root.directory(f"{_LIB}/{name}")
    for name in (
        "available",
        "diversions",
        "statoverride",
        "lock",
        "lock-frontend",
        "triggers/Lock",
        "triggers/Unincorp",
    ):
        root.file(f"{_LIB}/{name}", "", 0o640 if "lock" in name.lower() else 0o644)
    root.file(f"{_LIB}/info/format", "1\n")
    root.file(f"{_LIB}/status", "".join(_status(deb) for deb in debs))
    for deb in debs:
        prefix = f"{_LIB}/info/{_qualified(deb)}"
        root.file(f"{prefix}.list", "".join(f"/{'.' if m.path == '.' else m.path}\n" for m in deb.members))
        for name, content in deb.scripts.items():
            root.file(f"{prefix}.{name}", content, 0o755 if name in _EXECUTABLE else 0o644)
    _triggers(root, debs)


def divert(root: Root, path: str) -> None:
    """Move a package's file aside, for good: upgrades will find it diverted."""
    root.move(path, f"{path}.distrib")
    diversions = root.need(f"{_LIB}/diversions").decode()
    root.file(f"{_LIB}/diversions", f"{diversions}/{path}\n/{path}.distrib\n:\n")


def _qualified(deb: Deb) -> str:
    if deb.fields.get("Multi-Arch") == "same":
        return f"{deb.name}:{deb.fields['Architecture']}"
    return deb.name


def _status(deb: Deb) -> str:
    lines = [f"Package: {deb.name}", "Status: install ok installed"]
    lines += [f"{name}: {value}" for name, value in deb.fields.items() if name != "Package"]
    if marked := list(_conffiles(deb)):
        lines += ["Conffiles:", *(f" {path} {md5}" for path, md5 in marked)]
    return "\n".join(lines) + "\n\n"


def _conffiles(deb: Deb) -> Iterator[tuple[str, str]]:
    lines = (line.partition("  ") for line in deb.scripts.get("md5sums", b"").decode().splitlines())
    sums = {path: md5 for md5, _, path in lines}
    contents = {member.path: member for member in deb.members}
    for line in deb.scripts.get("conffiles", b"").decode().splitlines():
        path = line.split()[-1] if line.strip() else ""
        member = contents.get(path.lstrip("/"))
        if member is None or member.open is None:
            continue
        yield path, sums.get(path.lstrip("/")) or _md5(member.open().read())


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _triggers(root: Root, debs: Sequence[Deb]) -> None:
    """Who is interested in what: paths go to one file, named triggers to one each."""
    files: list[str] = []
    named: dict[str, list[str]] = defaultdict(list)
    for deb in debs:
        for line in deb.scripts.get("triggers", b"").decode().splitlines():
            directive, _, trigger = line.partition("#")[0].strip().partition(" ")
            trigger = trigger.strip()
            if not directive.startswith("interest"):
                continue
            who = _qualified(deb) + ("/noawait" if directive == "interest-noawait" else "")
            if trigger.startswith("/"):
                files.append(f"{trigger} {who}\n")
            else:
                named[trigger].append(f"{who}\n")
    root.file(f"{_LIB}/triggers/File", "".join(files))
    for trigger, names in named.items():
        root.file(f"{_LIB}/triggers/{trigger}", "".join(names))


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to provide an alternative; `slaves` are (name, link, path) of what goes with it."""

    name: str
    link: str
    path: str
    priority: int
    slaves: tuple[tuple[str, str, str], ...]


def alternatives(root: Root, debs: Sequence[Deb]) -> None:
    """Do what the packages' `update-alternatives --install` lines say."""
    groups: dict[str, list[Choice]] = defaultdict(list)
    for deb in debs:
        for choice in choices(deb.scripts.get("postinst", b"").decode(errors="replace")):
            if choice.path in root:
                groups[choice.name].append(choice)
    for name, group in groups.items():
        best = max(group, key=lambda choice: choice.priority)
        _link(root, best.link, name, best.path)
        slaves = {slave: link for choice in group for slave, link, path in choice.slaves if path in root}
        for slave, link, path in best.slaves:
            if slave in slaves:
                _link(root, link, slave, path)
        root.file(f"{_LIB}/alternatives/{name}", _group(group, slaves))


def choices(script: str) -> Iterator[Choice]:
    """The alternatives that a maintainer script installs in so many words, that is without variables."""
    for line in script.replace("\\\n", " ").splitlines():
        command = _SHELL_END.split(line.strip())[0]
        if not command.startswith("update-alternatives") or "$" in command:
            continue
        words = shlex.split(command)
        if "--install" not in words:
            continue
        first = words.index("--install") + 1
        link, name, path, priority = words[first : first + 4]
        slaves = tuple(
            (words[at + 2], words[at + 1], words[at + 3])
            for at, word in enumerate(words)
            if word == "--slave"
        )
        yield Choice(name, link, path, int(priority), slaves)


def _link(root: Root, link: str, name: str, path: str) -> None:
    folder, _, last = link.strip("/").rpartition("/")
    place = root.resolve(folder)
    if place is None:
        root.directory(folder)
        place = folder
    root.symlink(f"{place}/{last}", f"/etc/alternatives/{name}")
    root.symlink(f"etc/alternatives/{name}", path)


def _group(group: Sequence[Choice], slaves: dict[str, str]) -> str:
    lines = ["auto", group[0].link]
    for name in sorted(slaves):
        lines += [name, slaves[name]]
    lines.append("")
    for choice in sorted(group, key=lambda each: each.path):
        paths = {name: path for name, _, path in choice.slaves}
        lines += [choice.path, str(choice.priority), *(paths.get(name, "") for name in sorted(slaves))]
    return "\n".join([*lines, "", ""])
