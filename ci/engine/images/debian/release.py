"""A suite's signed table of contents (InRelease)."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.engine.images.debian.control import stanza, words
from ci.engine.images.errors import BootstrapFailed

KEYRINGS = Path("/usr/share/keyrings")
_REFUSED = {"BADSIG", "REVKEYSIG"}


@dataclass(frozen=True, slots=True)
class Release:
    """What a suite says about itself; `files` has (SHA-256 in hex, size in bytes) by path."""

    codename: str
    suite: str
    by_hash: bool
    files: dict[str, tuple[str, int]]


def keyrings(folder: Path = KEYRINGS) -> tuple[Path, ...]:
    """The keys that Debian signs its archives with. Raises BootstrapFailed when there are none."""
    found = tuple(sorted(folder.glob("debian-archive-*.gpg")))
    wanted = tuple(ring for ring in found if "removed" not in ring.name)
    if not wanted:
        raise BootstrapFailed(
            f"{folder} has no debian-archive-*.gpg: install the package debian-archive-keyring"
        )
    return wanted


def verify(signed: bytes, where: str, rings: Sequence[Path]) -> Release:
    """Check the signature of an InRelease file with gpgv and read what was signed.

    `where` is its address, for messages. Raises BootstrapFailed when no key of `rings` vouches for it.
    """
    with tempfile.TemporaryDirectory(prefix="inrelease-") as scratch:
        file, plain = Path(scratch, "InRelease"), Path(scratch, "Release")
        file.write_bytes(signed)
        command = ["gpgv", "--homedir", scratch, "--status-fd", "1", "--output", str(plain)]
        command += [word for ring in rings for word in ("--keyring", str(ring))]
        try:
            done = subprocess.run(
                [*command, str(file)], capture_output=True, text=True, errors="replace", check=False
            )
        except FileNotFoundError as error:
            raise BootstrapFailed(
                f"gpgv is needed to check the signature of {where}: install the package gpgv"
            ) from error
        # gpgv fails when *any* signature is by a key it does not know; one good signature is what counts,
        # as for apt, as long as none is bad.
        status = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("[GNUPG:] ")}
        if "GOODSIG" not in status or status & _REFUSED:
            raise BootstrapFailed(
                f"{where} is not signed by a key of {rings[0].parent}/debian-archive-*.gpg "
                f"({_reason(done.stderr)}): "
                "upgrade the package debian-archive-keyring, or use a mirror that is not tampered with"
            )
        # Only what gpgv put out was signed; the file may have more around it.
        return parse(plain.read_text(encoding="utf-8"))


def parse(text: str) -> Release:
    """Read a Release file."""
    fields = stanza(text)
    files = {}
    for line in fields.get("SHA256", "").splitlines():
        if len(parts := words(line)) == 3:
            files[parts[2]] = (parts[0], int(parts[1]))
    return Release(
        fields.get("Codename", ""), fields.get("Suite", ""), fields.get("Acquire-By-Hash") == "yes", files
    )


def _reason(log: str) -> str:
    lines = [line.removeprefix("gpgv: ").strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "no signature"
