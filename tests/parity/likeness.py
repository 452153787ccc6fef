"""When two engines' answers are the same: equal values, and errors that a user would take for the same."""

from tests.parity.answer import Answer


def alike(answered: Answer, expected: Answer) -> bool:
    """Whether an answer is the expected one.

    Errors are of one type, with one command, exit code and output. Of their messages it is enough that the
    embedded engine's begins with what Dagger's ends with: Dagger's own names the inner calls through which an
    error came ("failed to get snapshot: failed to sync: ..."), the embedded one may add a remedy.
    """
    if answered == expected:
        return True
    if "message" not in answered or "message" not in expected:
        return False
    rest = [{key: value for key, value in one.items() if key != "message"} for one in (answered, expected)]
    return rest[0] == rest[1] and _says(answered["message"], expected["message"])


def _says(ours: str, theirs: str) -> bool:
    parts = theirs.split(": ")
    # A word at the end ("not found") is too little to go by.
    ends = [": ".join(parts[position:]) for position in range(len(parts))]
    return any(ours.startswith(end) for end in ends if len(end) >= min(12, len(theirs)))
