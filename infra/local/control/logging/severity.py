"""Severities by rank: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity."""

RANKS = {
    "DEFAULT": 0,
    "DEBUG": 100,
    "INFO": 200,
    "NOTICE": 300,
    "WARNING": 400,
    "ERROR": 500,
    "CRITICAL": 600,
    "ALERT": 700,
    "EMERGENCY": 800,
}
_ALIASES = {"WARN": "WARNING", "ERR": "ERROR", "CRIT": "CRITICAL", "FATAL": "CRITICAL", "TRACE": "DEBUG"}


def severity(text: str) -> str:
    """The severity that a program means, DEFAULT for one that is none."""
    name = text.upper()
    name = _ALIASES.get(name, name)
    if name in RANKS:
        return name
    if name.isascii() and name.isdigit() and len(name) < 9:
        return max((number, each) for each, number in RANKS.items() if number <= int(name))[1]
    return "DEFAULT"


def rank(text: str) -> int | None:
    """The rank of a severity's name or number, None for something else."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return int(text)
    return RANKS.get(text.upper())
