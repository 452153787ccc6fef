"""Dockerfiles: read into stages of instructions; what they do to containers is in ``ci.engine.api.types``."""

from ci.engine.dockerfile.errors import DockerfileError
from ci.engine.dockerfile.reader import Heredoc, Instruction, read
from ci.engine.dockerfile.stages import Build, Stage, staged
from ci.engine.dockerfile.words import expanded, split

__all__ = [
    "Build",
    "DockerfileError",
    "Heredoc",
    "Instruction",
    "Stage",
    "expanded",
    "read",
    "split",
    "staged",
]
