"""Base images out of Debian packages, for where no registry answers: no root, the same bytes each time."""

from ci.engine.images.debian.bootstrap import bootstrap
from ci.engine.images.debian.recipes import Recipe, recipe

__all__ = ["Recipe", "bootstrap", "recipe"]
