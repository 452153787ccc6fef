"""What people see of a local cloud: a web page, `status` in the terminal, and the same as JSON."""

from infra.local.page.app import Page
from infra.local.page.overview import Sight

__all__ = ["Page", "Sight"]
