"""Images without a Debian system: `busybox`, and a stand-in for `alpine`, of Debian's static BusyBox alone.

Neither Alpine nor its packages are in Debian's archive. Most steps that ask for `alpine` want a shell and
the small tools, though, and Alpine's are BusyBox's: those are here, in Alpine's places. `apk` says what is
missing.
"""

import re

from ci.engine.images.debian.deb import Deb
from ci.engine.images.debian.root import Root
from ci.engine.images.errors import BootstrapFailed

PACKAGE = "busybox-static"
#: What `alpine:latest` and `alpine:3` stand for.
NEWEST_ALPINE = "3.22.0"

#: The tools that Alpine has in /bin; the others are in /usr/bin.
_BIN_TOOLS = """
arch ash base64 bbconfig cat chattr chgrp chmod chown cp date dd df dmesg dnsdomainname dumpkmap
echo ed egrep false fatattr fdflush fgrep fsync getopt grep gunzip gzip hostname ionice iostat
ipcalc kbd_mode kill link linux32 linux64 ln login ls lsattr lzop makemime mkdir mknod mktemp more
mount mountpoint mpstat mv netstat nice pidof ping ping6 pipe_progress printenv ps pwd reformime rev
rm rmdir run-parts sed setpriv setserial sh sleep stat stty su sync tar touch true umount uname
usleep watch zcat
"""
_BIN = frozenset(_BIN_TOOLS.split())
_TABLE = re.compile(rb"(\[\0\[\[\0(?:[\w.-]+\0)+)")
_APK = """#!/bin/sh
echo "apk: this image stands in for Alpine and has no packages: BusyBox of Debian is all of it." >&2
echo "apk: use debian:stable-slim with apt-get, or make a registry (or a mirror of it) reachable." >&2
exit 1
"""
# The one tool of everyday use that Debian builds its BusyBox without.
_PRINTENV = """#!/bin/sh
[ $# -eq 0 ] && exec env
exec awk 'BEGIN {
    for (i = 1; i < ARGC; i++) if (ARGV[i] in ENVIRON) print ENVIRON[ARGV[i]]; else missing = 1
    exit missing
}' "$@"
"""
_OS = """NAME="Alpine Linux"
ID=alpine
VERSION_ID={release}
PRETTY_NAME="Alpine Linux v{branch} (stand-in: BusyBox of Debian)"
HOME_URL="https://alpinelinux.org/"
"""
_ACCOUNTS = (
    ("root", 0, "/root", "/bin/sh"),
    ("bin", 1, "/bin", "/sbin/nologin"),
    ("daemon", 2, "/sbin", "/sbin/nologin"),
    ("mail", 8, "/var/mail", "/sbin/nologin"),
    ("www-data", 33, "/var/www", "/sbin/nologin"),
    ("guest", 405, "/dev/null", "/sbin/nologin"),
    ("nobody", 65534, "/", "/sbin/nologin"),
)


def lay_out(root: Root, deb: Deb, alpine: str) -> None:
    """Fill a root with BusyBox and a name for each of its tools; `alpine` is the release stood in for, or "".

    Raises:
        BootstrapFailed: the package is not what it was: it has no program, or one without a table of tools.
    """
    program = _program(deb)
    root.file("bin/busybox", program, 0o755)
    for name in tools(program):
        place = "bin" if not alpine or name in _BIN else "usr/bin"
        root.symlink(f"{place}/{name}", "/bin/busybox")
    root.file("bin/printenv", _PRINTENV, 0o755)
    for path in ("dev", "etc", "home", "proc", "sys", "usr/bin", "usr/sbin", "usr/local/bin", "var/log"):
        root.directory(path)
    root.directory("root", 0o700)
    for path in ("tmp", "var/tmp"):
        root.directory(path, 0o1777)
    _accounts(root)
    for path in ("etc/hosts", "etc/hostname", "etc/resolv.conf"):
        root.file(path, "")
    if alpine:
        _release(root, alpine)


def tools(program: bytes) -> list[str]:
    """The names under which a BusyBox can be called, out of the table that it looks them up in.

    Source: applet_names in BusyBox's applet_tables.h, names in order with a NUL after each.
    """
    found = _TABLE.search(program)
    if found is None:
        raise BootstrapFailed(
            f"the package {PACKAGE} has a program without a table of tools: try another suite"
        )
    names = [name.decode("ascii") for name in found[1].rstrip(b"\0").split(b"\0")]
    return [name for name in names if name != "busybox"]  # which is the program itself


def _program(deb: Deb) -> bytes:
    for member in deb.members:
        if member.path in {"bin/busybox", "usr/bin/busybox"} and member.open is not None:
            with member.open() as stream:
                return stream.read()
    raise BootstrapFailed(f"the package {PACKAGE} has no program: the mirror may be broken; try another")


def _accounts(root: Root) -> None:
    root.file(
        "etc/passwd", "".join(f"{name}:x:{n}:{n}:{name}:{home}:{sh}\n" for name, n, home, sh in _ACCOUNTS)
    )
    root.file("etc/group", "".join(f"{name}:x:{number}:\n" for name, number, _home, _shell in _ACCOUNTS))
    root.file("etc/shadow", "".join(f"{name}:*::0:::::\n" for name, *_rest in _ACCOUNTS), 0o640)


def _release(root: Root, release: str) -> None:
    for path in ("media", "mnt", "opt", "run", "sbin", "srv", "lib"):
        root.directory(path)
    root.symlink("var/run", "/run")
    root.file("sbin/apk", _APK, 0o755)
    root.file("etc/alpine-release", f"{release}\n")
    root.file("etc/os-release", _OS.format(release=release, branch=".".join(release.split(".")[:2])))
    root.file("etc/shells", "/bin/sh\n/bin/ash\n")
