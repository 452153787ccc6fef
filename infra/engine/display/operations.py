"""Each operation's sign, colour and words, as Pulumi shows them (pkg/resource/deploy/step.go)."""

from __future__ import annotations

from dataclasses import dataclass

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = (f"\x1b[38;5;{number}m" for number in (1, 2, 3, 4, 5, 6))
HEADLINE = f"{BOLD}{MAGENTA}"
UNIMPORTANT = "\x1b[38;5;8m"


@dataclass(frozen=True, slots=True)
class Look:
    """How an operation looks.

    ``plan`` foretells it, ``doing`` and ``done`` tell of it, ``counted`` sums it up.
    """

    sign: str
    color: str
    plan: str
    doing: str
    done: str
    counted: str


_LOOKS = {
    "same": Look("  ", "", "", "", "", "same"),
    "create": Look("+ ", GREEN, "create", "creating", "created", "created"),
    "update": Look("~ ", YELLOW, "update", "updating", "updated", "updated"),
    "delete": Look("- ", RED, "delete", "deleting", "deleted", "deleted"),
    "replace": Look("+-", MAGENTA, "replace", "replacing", "replaced", "replaced"),
    "create-replacement": Look(
        "++",
        GREEN,
        "create replacement",
        "creating replacement",
        "created replacement",
        "created replacement",
    ),
    "delete-replaced": Look(
        "--", RED, "delete original", "deleting original", "deleted original", "deleted original"
    ),
    "read": Look("> ", CYAN, "read", "reading", "read", "read"),
    "read-replacement": Look(
        ">>", CYAN, "read for replacement", "reading for replacement", "read for replacement", "read"
    ),
    "refresh": Look("~ ", YELLOW, "refreshing", "refreshing", "refreshed", "refreshed"),
    "discard": Look("< ", RED, "discard", "discarding", "discarded", "discarded"),
    "discard-replaced": Look(
        "<<", RED, "discard original", "discarding original", "discarded original", "discarded"
    ),
    "remove-pending-replace": Look("~ ", YELLOW, "", "", "", "removed pending replace"),
    "import": Look("= ", BLUE, "import", "importing", "imported", "imported"),
    "import-replacement": Look(
        "=>", BLUE, "import replacement", "importing replacement", "imported replacement", "imported"
    ),
}
ORDER = tuple(_LOOKS)


def look(op: str) -> Look:
    """How ``op`` looks; one that is not known looks like its name."""
    return _LOOKS.get(op) or Look("  ", "", op, op, op, op)


def painted(text: str, code: str, *, color: bool) -> str:
    """``text`` in a colour, if colours are wanted."""
    return f"{code}{text}{RESET}" if color and code else text
