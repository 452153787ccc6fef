"""What the local cloud remembers: resources and operations in one SQLite file, safe against kill -9."""

from infra.local.state.shelf import Page, Shelf
from infra.local.state.store import Row, Store

__all__ = ["Page", "Row", "Shelf", "Store"]
