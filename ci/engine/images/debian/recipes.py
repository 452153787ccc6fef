"""From the name of a well-known image to the packages and the configuration of its equivalent."""

import re
from dataclasses import dataclass, replace

from ci.engine.images.debian.busybox import NEWEST_ALPINE, PACKAGE
from ci.engine.images.image import ImageConfig
from ci.engine.images.reference import DEFAULT_REGISTRY, Reference

#: Releases of Debian that this knows its way around in, oldest first, with the Python of each.
SUITES = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}
#: Where newer Pythons are looked for.
UNRELEASED = ("testing", "unstable")
_ALIASES = {"oldoldstable": "bullseye", "oldstable": "bookworm", "stable": "trixie", "latest": "trixie"}
_NUMBERS = {"11": "bullseye", "12": "bookworm", "13": "trixie"}

# usr-is-merged stands for usrmerge, which would pull in all of perl to do what is done here already.
_SYSTEM = ("apt", "debian-archive-keyring", "usr-is-merged")
_PYTHON = ("ca-certificates", "netbase", "tzdata", "python3", "python3-pip", "python3-venv")
_BUILD = (
    "build-essential",
    "curl",
    "git",
    "libffi-dev",
    "libssl-dev",
    "pkg-config",
    "procps",
    "wget",
    "xz-utils",
    "zlib1g-dev",
)

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PYTHON_TAG = re.compile(r"(?P<python>3(?:\.\d+){0,2})?(?:-?(?P<slim>slim))?(?:-?(?P<suite>[a-z]+))?")
_ALPINE_TAG = re.compile(r"3(?:\.\d+){1,2}|latest|edge|3")
_BUSYBOX_TAG = re.compile(
    r"(?:latest|stable|unstable|1(?:\.\d+){0,2})(?:-(?:glibc|musl|uclibc))?|glibc|musl|uclibc"
)
_DEBIAN_TAG = re.compile(r"(?P<suite>[a-z]+|\d+)(?:\.\d+)?(?:-(?P<slim>slim))?")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to build. `suite` is None where the version of Python has to decide; `python` is "3.11" or "".

    `alpine` is the release that is stood in for, or "".
    """

    kind: str
    suite: str | None
    python: str = ""
    slim: bool = False
    alpine: str = ""

    @property
    def _system(self) -> tuple[str, ...]:
        # bullseye is older than merged systems being a matter of course.
        return tuple(name for name in _SYSTEM if self.suite != "bullseye" or name != "usr-is-merged")

    @property
    def packages(self) -> tuple[str, ...]:
        """What to install beside the basic system, or, for BusyBox, instead of it."""
        if self.kind == "busybox":
            return (PACKAGE,)
        if self.kind == "debian":
            return self._system
        versioned = (f"python{self.python}", f"python{self.python}-venv") if self.python else ()
        return (*self._system, *_PYTHON, *versioned, *(() if self.slim else (*_BUILD, "python3-dev")))


def recipe(reference: Reference) -> Recipe | None:
    """The recipe for a reference, None when there is none.

    There are recipes for Docker Hub's `python:3.X[-slim][-SUITE]`, `debian:SUITE[-slim]`, `busybox` and
    `alpine`.
    """
    if reference.registry != DEFAULT_REGISTRY or reference.digest is not None or reference.tag is None:
        return None
    if reference.repository == "library/busybox" and _BUSYBOX_TAG.fullmatch(reference.tag):
        return Recipe("busybox", _ALIASES["stable"])
    if reference.repository == "library/alpine" and _ALPINE_TAG.fullmatch(reference.tag):
        return Recipe("busybox", _ALIASES["stable"], alpine=_alpine(reference.tag))
    tag = "" if reference.tag == "latest" and reference.repository == "library/python" else reference.tag
    if reference.repository == "library/python" and (found := _PYTHON_TAG.fullmatch(tag)):
        suite = found["suite"]
        if suite is None or _known(suite):
            version = ".".join((found["python"] or "").split(".")[:2])
            wanted = Recipe(
                "python", suite and _known(suite), "" if version == "3" else version, bool(found["slim"])
            )
            return wanted if wanted.python or wanted.suite else replace(wanted, suite=_ALIASES["stable"])
    if reference.repository == "library/debian" and (found := _DEBIAN_TAG.fullmatch(reference.tag)):
        suite = _known(found["suite"])
        return Recipe("debian", suite, slim=bool(found["slim"])) if suite else None
    return None


def _alpine(tag: str) -> str:
    """The release that a tag of Alpine means: a branch means its first."""
    numbers = tag.split(".")
    if len(numbers) == 1:
        return NEWEST_ALPINE
    return ".".join([*numbers, "0"][:3])


def _known(suite: str) -> str | None:
    name = _ALIASES.get(suite, _NUMBERS.get(suite, suite))
    return name if name in SUITES or name in UNRELEASED else None


def suites(wanted: Recipe) -> tuple[str, ...]:
    """The suites to look in, in order."""
    if wanted.suite is not None:
        return (wanted.suite,)
    if known := tuple(suite for suite, python in SUITES.items() if python == wanted.python):
        return known
    newest = max(_number(python) for python in SUITES.values())
    return UNRELEASED if _number(wanted.python) > newest else ()


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def config(wanted: Recipe, python: str, created: str) -> ImageConfig:
    """The configuration that Docker's official image has; `python` is the whole version ("3.11.2")."""
    if wanted.kind == "busybox":
        return ImageConfig(
            env=(f"PATH={_PATH}",), cmd=("/bin/sh" if wanted.alpine else "sh",), created=created
        )
    if wanted.kind == "debian":
        return ImageConfig(env=(f"PATH={_PATH}",), cmd=("bash",), created=created)
    env = (f"PATH=/usr/local/bin:{_PATH}", "LANG=C.UTF-8", f"PYTHON_VERSION={python}")
    return ImageConfig(env=env, cmd=("python3",), created=created)
