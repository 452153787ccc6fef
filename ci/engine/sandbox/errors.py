"""What can go wrong in a sandbox: each message names the thing, the place and the remedy."""


class SandboxError(Exception):
    """A container could not be prepared or started, or its mounts make no sense."""

    def __str__(self) -> str:
        """The message alone."""
        return str(self.args[0])


class SandboxUnavailable(SandboxError):
    """This host cannot run sandboxes: something in its kernel or its settings is missing."""


class CommandNotFound(SandboxError):
    """The command, or the interpreter or loader it needs, is not in the container."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message, command)
        self.command = command


class CommandNotExecutable(SandboxError):
    """The command is in the container but may not, or cannot, be executed."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message, command)
        self.command = command
