"""What is printed for a command that cannot be started, in the words of Dagger's init."""

import re

from ci.engine import sandbox

_OTHER_USER = re.compile(
    r"(?:set(?:res|re|e)?[ug]id|setgroups|initgroups|cannot set (?:groups|user|uid|gid))"
    r".*(?:Invalid argument|Operation not permitted)",
    re.IGNORECASE,
)


def complaint(error: BaseException, name: str) -> str | None:
    """What a step's stderr says when its command, ``name``, could not be started; None if it was not that."""
    if isinstance(error, sandbox.CommandNotFound):
        if name and "/" not in name:
            return f'exec: "{name}": executable file not found in $PATH'
        return f"fork/exec {name}: no such file or directory"
    if isinstance(error, sandbox.CommandNotExecutable):
        return f"fork/exec {name}: permission denied"
    return None


def lone_user(stderr: str) -> str | None:
    """What to tell of a step that wanted to be several users where there is one, by what it printed."""
    if sandbox.enter().uid_range or not _OTHER_USER.search(stderr):
        return None
    return (
        "wanted to be another user, and this host has given the engine one alone: install uidmap and have "
        "this user in /etc/subuid and /etc/subgid, or run as root"
    )
