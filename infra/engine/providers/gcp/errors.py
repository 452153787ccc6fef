"""Errors that say what was being done to which resource."""

# The protocol's own names and arguments.
# pylint: disable=redefined-builtin

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from infra.engine.providers.contract import InitError, ProviderError, Target, UnknownOutcomeError


@contextmanager
def about(doing: str, target: Target, id: str) -> Iterator[None]:
    """Put what was done, and to which resource, before the text of an error that comes out of the block."""
    try:
        yield
    except InitError:
        raise
    except UnknownOutcomeError as error:
        raise UnknownOutcomeError(f"{doing} {target.type} {id or target.name}: {error}") from error
    except ProviderError as error:
        raise ProviderError(f"{doing} {target.type} {id or target.name}: {error}") from error
    except TimeoutError as error:
        raise ProviderError(f"{doing} {target.type} {id or target.name}: it took too long") from error
