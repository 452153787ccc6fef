"""Imports parts of packages as they are needed, where one part would bring all the others along."""

import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_LOCK = threading.RLock()


class _Closed(ModuleType):
    """A package whose own code runs when something is asked of it that is not one of its parts."""

    __names__: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:
        spec: ModuleSpec = self.__spec__  # type: ignore[assignment]
        if name.startswith("__") or spec.loader is None:
            raise AttributeError(name)
        if name in self.__names__:
            return getattr(import_module(self.__names__[name]), name)
        with _LOCK:
            if type(self) is _Closed:
                self.__class__ = ModuleType  # type: ignore[assignment]
                spec.loader.exec_module(self)
        return getattr(self, name)


def in_parts(package: str, **names: str) -> None:
    """Let the parts of a package that is not imported yet be imported without it.

    ``import package.part`` takes that part alone. ``from package import name`` works as ever, and takes one
    part alone where ``names`` says which one has the name.
    """
    if package in sys.modules or (spec := find_spec(package)) is None:
        return
    module = _Closed(package)
    module.__spec__, module.__loader__, module.__file__ = spec, spec.loader, spec.origin
    module.__path__ = list(spec.submodule_search_locations or ())
    module.__package__ = package
    module.__names__ = names
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
