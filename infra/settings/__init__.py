"""The typed configuration of an environment: read, explained when wrong, compared between environments."""

from infra.settings.model import (
    ENVIRONMENTS,
    NAMESPACE,
    PROMOTES,
    Alerts,
    Budget,
    Container,
    Protection,
    Release,
    Scaling,
    Settings,
    Training,
)
from infra.settings.reading import SettingsError, from_config, from_mapping

__all__ = [
    "ENVIRONMENTS",
    "NAMESPACE",
    "PROMOTES",
    "Alerts",
    "Budget",
    "Container",
    "Protection",
    "Release",
    "Scaling",
    "Settings",
    "SettingsError",
    "Training",
    "from_config",
    "from_mapping",
]
