"""What is printed for a command that cannot be started, in the words of Dagger's init."""

from ci.engine import sandbox


def complaint(error: BaseException, name: str) -> str | None:
    """What a step's stderr says when its command, ``name``, could not be started; None if it was not that."""
    if isinstance(error, sandbox.CommandNotFound):
        if name and "/" not in name:
            return f'exec: "{name}": executable file not found in $PATH'
        return f"fork/exec {name}: no such file or directory"
    if isinstance(error, sandbox.CommandNotExecutable):
        return f"fork/exec {name}: permission denied"
    return None
