"""Makes a Dagger object once for a project, however many stages ask for it.

An engine would evaluate equal objects once anyway; this saves describing them to it again and again.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import anyio

from ci.stages.project import Project

T = TypeVar("T")


def once(make: Callable[[Project], Awaitable[T]]) -> Callable[[Project], Awaitable[T]]:
    """Keep what ``make`` returns for a project for as long as the project is there; not what it raises."""
    made: WeakKeyDictionary[Project, T] = WeakKeyDictionary()
    locks: WeakKeyDictionary[Project, anyio.Lock] = WeakKeyDictionary()

    @wraps(make)
    async def get(project: Project) -> T:
        async with locks.setdefault(project, anyio.Lock()):
            if project not in made:
                made[project] = await make(project)
            return made[project]

    return get
