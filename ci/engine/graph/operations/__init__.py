"""The pure operations on file systems that Dagger's fields are made of, by name."""

from ci.engine.graph.operations import copying, editing, patching, places
from ci.engine.graph.operations.registry import OPERATIONS, Operation

__all__ = ["OPERATIONS", "Operation", "copying", "editing", "patching", "places"]
