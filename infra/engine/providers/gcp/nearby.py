"""A cloud on this machine, which is used where nothing says how to reach Google.

Such a cloud leaves its address in ``endpoint.json`` in its folder: ``$SHIPWAY_CLOUD_STATE``, else
``$SHIPWAY_STATE/cloud``, else ``shipway/cloud`` in the user's cache.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_GCLOUD: Final = Path("gcloud", "application_default_credentials.json")


def endpoint(environment: Mapping[str, str]) -> str | None:
    """The address of the cloud that serves on this machine now, without a slash at its end, if one does."""
    folder = _folder(environment)
    if folder is None:
        return None
    try:
        record = json.loads((folder / "endpoint.json").read_text(encoding="utf-8"))
        # Signal 0 asks whether the process is there: a killed one leaves its record behind.
        os.kill(int(record["pid"]), 0)
        return str(record["endpoint"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError):
        return None


def knows_google(environment: Mapping[str, str]) -> bool:
    """Whether the machine has credentials that Google's libraries find by themselves."""
    if environment.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return True
    given = environment.get("CLOUDSDK_CONFIG")
    if given:
        return (Path(given) / _GCLOUD.name).exists()
    home = environment.get("HOME")
    return home is not None and (Path(home) / ".config" / _GCLOUD).exists()


def _folder(environment: Mapping[str, str]) -> Path | None:
    if given := environment.get("SHIPWAY_CLOUD_STATE"):
        return Path(given)
    if given := environment.get("SHIPWAY_STATE"):
        return Path(given) / "cloud"
    if given := environment.get("XDG_CACHE_HOME"):
        return Path(given) / "shipway" / "cloud"
    home = environment.get("HOME")
    return None if home is None else Path(home) / ".cache" / "shipway" / "cloud"
