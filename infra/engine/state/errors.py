"""What can go wrong with a stack's state, in words for the user."""

from __future__ import annotations


class StateError(Exception):
    """A stack's state can't be used as asked; the text names the place and the remedy."""


class NoSuchStackError(StateError):
    """There is no stack of that name."""


class StackExistsError(StateError):
    """There is a stack of that name already."""


class LockedError(StateError):
    """Another process is at work on the stack."""


class CorruptError(StateError):
    """The checkpoint can't be read: it was half written, or changed by hand."""


class PassphraseError(StateError):
    """The passphrase is wrong, or not given."""
