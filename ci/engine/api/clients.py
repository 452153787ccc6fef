"""The clients of a session: each sees the API with the modules that are served to it, and to nobody else."""

from collections import OrderedDict

from ci.engine.api.respond import Api
from ci.engine.modules.client import Client

REMEMBERED = 64  # clients, those that asked last


class Clients:
    """The API as each client sees it; a client that gives no name is the session's own."""

    def __init__(self, api: Api) -> None:
        self._own = api
        self._untouched = api.serving(Client())
        self._named: OrderedDict[str, Api] = OrderedDict()

    def api(self, name: str) -> Api:
        """The API for the client of a name."""
        if not name:
            return self._own
        found = self._named.get(name)
        if found is None:
            found = self._named[name] = self._untouched.serving(Client())
            if len(self._named) > REMEMBERED:
                self._named.popitem(last=False)
        self._named.move_to_end(name)
        return found
