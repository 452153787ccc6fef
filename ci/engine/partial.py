"""Imports parts of packages as they are needed, where one part would bring all the others along."""

import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_LOCK = threading.RLock()
_CLOSED: dict[str, Mapping[str, str]] = {}
"""The packages whose own code has not run, and which part has which of their names."""


class _Closed(ModuleType):
    """A package whose own code runs when something is asked of it that is not one of its parts."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if part := _CLOSED.get(self.__name__, {}).get(name):
            return getattr(import_module(part), name)
        with _LOCK:
            if _CLOSED.pop(self.__name__, None) is not None:
                self.__class__ = ModuleType  # type: ignore[assignment]
                self.__loader__.exec_module(self)  # type: ignore[union-attr]
        return getattr(self, name)


def in_parts(package: str, **names: str) -> None:
    """Let the parts of a package that is not imported yet be imported without it.

    ``import package.part`` takes that part alone. ``from package import name`` works as ever, and takes one
    part alone where ``names`` says which one has the name.
    """
    if package in sys.modules or (spec := find_spec(package)) is None:
        return
    module = module_from_spec(spec)
    module.__class__ = _Closed
    _CLOSED[package] = names
    sys.modules[package] = module


def named(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's ``__getattr__`` (PEP 562): ``names`` says which part of it has which name."""

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
