"""How a program ends when it fails."""

from __future__ import annotations

from infra.engine.deploy.errors import DeploymentError


class ProgramFailedError(DeploymentError):
    """The program has ended with an error; ``told`` says whether it has said which."""

    def __init__(self, message: str, told: bool) -> None:
        super().__init__(message)
        self.told = told
