"""What an environment is made of. To start reading: ``SmallestService``; in use: ``MlService``."""

from infra.components.alerts import ServiceAlerts
from infra.components.budget import BudgetAlert
from infra.components.federation import GithubFederation
from infra.components.ml_service import MlService
from infra.components.naming import Naming
from infra.components.release import Delivered
from infra.components.site import Site
from infra.components.smallest import SmallestService
from infra.components.training import TrainingJob

__all__ = [
    "BudgetAlert",
    "Delivered",
    "GithubFederation",
    "MlService",
    "Naming",
    "ServiceAlerts",
    "Site",
    "SmallestService",
    "TrainingJob",
]
