"""What is wrong with a Dockerfile, and on which line."""

from ci.engine.errors import EngineError


class DockerfileError(EngineError):
    """A Dockerfile that cannot be read, or that asks for something that is not served."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"dockerfile parse error on line {line}: {message}" if line else message)
