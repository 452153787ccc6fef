"""What a module that is served as the entrypoint has in ``Query``: its main object's functions and fields.

They stand in for fields of Dagger's own that have the same names, and for the module's constructor. The
arguments of that are given by ``with``, before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ci.engine.modules.module import Module
from ci.engine.modules.types.kinds import OBJECT
from ci.engine.modules.types.typedefs import Function, referring

WITH = "with"


def promoted(module: Module | None) -> Iterator[Function]:
    """The functions that a module has in ``Query``; of two with one name the later one is meant."""
    main = module.main if module is not None else None
    if module is None or main is None:
        return
    if main.constructor is not None and main.constructor.arguments:
        told = main.constructor.description or f"Configure the {module.name} constructor arguments."
        returns = referring(OBJECT, "Query")
        yield replace(main.constructor, name=WITH, original=WITH, returns=returns, description=told)
    yield from main.functions
    yield from (each.read(module.name) for each in main.fields)
