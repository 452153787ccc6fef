"""All commands: their names, flags and arguments, and where the function is that serves each."""

from infra.engine.commands.line.table import operations, projects, stacks, states
from infra.engine.commands.line.table.others import ALIASES, ELSEWHERE
from infra.engine.commands.line.table.shape import Command
from infra.engine.commands.line.table.shared import GLOBAL

COMMANDS = tuple(
    sorted(
        (*operations.COMMANDS, *projects.COMMANDS, *stacks.COMMANDS, *states.COMMANDS),
        key=lambda command: command.name,
    )
)

__all__ = ["ALIASES", "COMMANDS", "ELSEWHERE", "GLOBAL", "Command"]
