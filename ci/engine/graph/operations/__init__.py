"""The pure operations on file systems that Dagger's fields are made of, by name."""

from ci.engine.graph.operations import copying, dockerfile, editing, merging, patching, places
from ci.engine.graph.operations.registry import OPERATIONS, Operation

__all__ = ["OPERATIONS", "Operation", "copying", "dockerfile", "editing", "merging", "patching", "places"]
