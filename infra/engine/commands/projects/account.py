"""``pulumi login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line.text import json_text
from infra.engine.state.backend import Backend, folder_of
from infra.engine.state.errors import StateError

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def login(call: Invocation) -> None:
    """Make a folder the backend."""
    given = call.words[0] if call.words else call.flags["cloud-url"]
    if call.flags["local"]:
        if given:
            raise ExitError("a URL may not be specified when --local mode is enabled")
        given = "file://~"
    url = given or call.variables.get("PULUMI_BACKEND_URL") or call.home.current_url()
    if not url:
        raise ExitError(
            "the embedded engine keeps state in files alone: `pulumi login file://PATH`, or `pulumi login"
            " --local`"
        )
    try:
        if not folder_of(url).exists():
            raise ExitError(f'could not log in to the state backend "{url}": no such file or directory')
        backend = Backend(url, call.variables)
    except StateError as error:
        raise ExitError(f'could not log in to the state backend "{url}": {error}') from error
    call.home.log_in(backend.url)
    print(f"Logged in to {socket.gethostname()} as {getpass.getuser()} ({backend.url})")


def logout(call: Invocation) -> None:
    """Forget a backend, or all of them."""
    if call.flags["all"]:
        call.home.log_out(None)
        print("Logged out of all backends")
        return
    given = call.words[0] if call.words else call.flags["cloud-url"]
    url = "file://~" if call.flags["local"] else given or call.url
    call.home.log_out(url)
    print(f"Logged out of {url}")


def whoami(call: Invocation) -> None:
    """Tell the user of this machine, and the backend."""
    user, url = getpass.getuser(), call.backend.url
    if call.json:
        print(json_text({"user": user, "url": url}))
    elif call.flags["verbose"]:
        print(f"User: {user}\nOrganizations: \nBackend URL: {url}\nToken type: personal")
    else:
        print(user)
