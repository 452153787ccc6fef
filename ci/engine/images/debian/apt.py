"""How this host's apt is set up: which Debian mirrors it uses, and through which proxies."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ci.engine.images.debian.control import stanzas, words

ETC_APT = Path("/etc/apt")
_SCHEMES = ("http", "https")
_OPTIONS = re.compile(r"\[(.*?)\]")


@dataclass(frozen=True, slots=True)
class Source:
    """One suite of a package archive, as apt's source lists name it."""

    uri: str
    suite: str
    components: tuple[str, ...]

    @property
    def public_uri(self) -> str:
        """The URI without user name and password."""
        parts = urlsplit(self.uri)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def host_sources(etc: Path = ETC_APT) -> tuple[Source, ...]:
    """The binary package sources that apt has here, of whatever vendor, over HTTP or HTTPS."""
    found: dict[Source, None] = {}
    for file in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if file.suffix == ".list":
            found.update(dict.fromkeys(_one_line(text)))
        elif file.suffix == ".sources":
            found.update(dict.fromkeys(_deb822(text)))
    return tuple(source for source in found if urlsplit(source.uri).scheme in _SCHEMES)


def _one_line(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        fields = _OPTIONS.sub(" ", line.partition("#")[0], count=1).split()
        if len(fields) > 3 and fields[0] == "deb":
            yield Source(fields[1].rstrip("/"), fields[2], tuple(fields[3:]))


def _deb822(text: str) -> Iterator[Source]:
    for raw in stanzas(text):
        fields = {name.lower(): value for name, value in raw.items()}
        if fields.get("enabled", "yes").lower() in {"no", "false", "off", "0"}:
            continue
        if "deb" not in words(fields.get("types", "")):
            continue
        for uri in words(fields.get("uris", "")):
            for suite in words(fields.get("suites", "")):
                yield Source(uri.rstrip("/"), suite, words(fields.get("components", "")))


def setting(name: str) -> str | None:
    """The value of an apt setting ("Acquire::http::Proxy"), None where it is not set or there is no apt."""
    try:
        done = subprocess.run(
            ["apt-config", "shell", "value", name], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    for word in shlex.split(done.stdout):
        return word.partition("=")[2] or None
    return None


def proxies() -> dict[str, str]:
    """The proxies that apt is told to use, by scheme; "DIRECT" and host-wide settings are not among them."""
    found = {scheme: setting(f"Acquire::{scheme}::Proxy") for scheme in _SCHEMES}
    return {scheme: url for scheme, url in found.items() if url and url.upper() != "DIRECT"}
