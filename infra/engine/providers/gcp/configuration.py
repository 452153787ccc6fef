"""The provider's own configuration: where Google's APIs are, as whom to call them, and where things are made.

Keys and environment variables are those of the ``gcp`` package; a key wins over a variable.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from infra.engine.providers.contract import Failure, ProviderError
from infra.engine.providers.gcp import nearby
from infra.engine.values import Properties, Secret

VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
    "region": ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"),
    "zone": ("GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"),
    "accessToken": ("GOOGLE_OAUTH_ACCESS_TOKEN",),
    "credentials": ("GOOGLE_CREDENTIALS", "GOOGLE_CLOUD_KEYFILE_JSON", "GCLOUD_KEYFILE_JSON"),
    "billingProject": ("GOOGLE_BILLING_PROJECT",),
}
UNSERVED: Final[Mapping[str, tuple[str, ...]]] = {
    "externalCredentials": (),
    "impersonateServiceAccount": ("GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",),
    "impersonateServiceAccountDelegates": (),
    "universeDomain": ("GOOGLE_UNIVERSE_DOMAIN",),
}
"""Keys that say who calls and whom: to pass over one would be to do it as somebody else."""
_OTHERS: Final = frozenset(
    {
        "addPulumiAttributionLabel",
        "batching",
        "defaultLabels",
        "deletionPolicy",
        "disableGlobalProjectWarning",
        "disableGooglePartnerName",
        "googlePartnerName",
        "pollInterval",
        "preferGlobalEndpoints",
        "preferRegionalEndpoints",
        "pulumiAttributionLabelAdditionStrategy",
        "requestReason",
        "requestTimeout",
        "scopes",
        "skipRegionValidation",
        "userProjectOverride",
        "version",
    }
)
ATTRIBUTION: Final = "goog-pulumi-provisioned"
"""The label by which Google counts what Pulumi made; ``addPulumiAttributionLabel`` false leaves it out."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address that an API's paths follow, with a slash at its end; ``custom`` if it isn't Google's."""

    url: str
    custom: bool


@dataclass(frozen=True, slots=True)
class Product:
    """An API: its key in the configuration, its variable, and where Google has it.

    ``version`` follows an endpoint that doesn't end in one.
    """

    key: str
    variable: str
    base: str
    version: str = ""

    def at(self, url: str | None) -> Endpoint:
        """Its endpoint: Google's, unless a URL says otherwise."""
        return Endpoint(f"{(url or self.base).rstrip('/')}/{self.version}", custom=bool(url))


PRODUCTS: Final[Mapping[str, Product]] = {
    name: Product(f"{name}CustomEndpoint", f"GOOGLE_{variable}_CUSTOM_ENDPOINT", base, *version)
    for name, variable, base, *version in (
        ("artifactRegistry", "ARTIFACT_REGISTRY", "https://artifactregistry.googleapis.com/v1/"),
        ("billingBudgets", "BILLING_BUDGETS", "https://billingbudgets.googleapis.com/v1/"),
        ("cloudRunV2", "CLOUD_RUN_V2", "https://run.googleapis.com/v2/"),
        ("iam", "IAM", "https://iam.googleapis.com/v1/"),
        ("iamBeta", "IAM_BETA", "https://iam.googleapis.com/v1/"),
        ("logging", "LOGGING", "https://logging.googleapis.com/v2/"),
        ("monitoring", "MONITORING", "https://monitoring.googleapis.com/", "v3/"),
        ("resourceManager", "RESOURCE_MANAGER", "https://cloudresourcemanager.googleapis.com/v1/"),
        ("secretManager", "SECRET_MANAGER", "https://secretmanager.googleapis.com/v1/"),
        ("serviceUsage", "SERVICE_USAGE", "https://serviceusage.googleapis.com/v1/"),
        ("storage", "STORAGE", "https://storage.googleapis.com/storage/v1/"),
    )
}


def failures(inputs: Properties, environment: Mapping[str, str] | None = None) -> Iterator[Failure]:
    """What is wrong with a provider's inputs: keys that there are not, and those that are not served here."""
    variables = os.environ if environment is None else environment
    for key in sorted({*inputs, *UNSERVED}):
        if key in UNSERVED:
            set_by = [name for name in UNSERVED[key] if variables.get(name)]
            if inputs.get(key) or set_by:
                yield Failure(
                    key,
                    f"{set_by[0] if set_by else f'gcp:{key}'} is not served by the embedded engine; "
                    "use an access token or credentials of that account, or install the Pulumi CLI",
                )
        elif key not in VARIABLES and key not in _OTHERS and not key.endswith("CustomEndpoint"):
            yield Failure(
                key,
                "could not validate provider configuration: Invalid or unknown key. "
                f"Check `pulumi config get gcp:{key}`.",
            )


@dataclass(frozen=True, slots=True)
class Configuration:
    """A checked configuration. ``token`` and ``credentials`` are never shown."""

    endpoints: Mapping[str, Endpoint]
    project: str | None = None
    region: str | None = None
    zone: str | None = None
    token: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)
    billing_project: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, inputs: Properties, environment: Mapping[str, str] | None = None) -> Configuration:
        """The configuration in a provider's inputs, completed by the environment."""
        variables = os.environ if environment is None else environment

        def text(key: str) -> str | None:
            value = _text(inputs.get(key))
            return value or next((variables[name] for name in VARIABLES[key] if variables.get(name)), None)

        token, credentials = text("accessToken"), text("credentials")
        urls = {
            name: _text(inputs.get(each.key)) or variables.get(each.variable)
            for name, each in PRODUCTS.items()
        }
        if not (token or credentials or any(urls.values()) or nearby.knows_google(variables)):
            urls = _nearby(variables)
        return cls(
            {name: PRODUCTS[name].at(url) for name, url in urls.items()},
            project=text("project"),
            region=text("region"),
            zone=text("zone"),
            token=token,
            credentials=credentials,
            billing_project=text("billingProject"),
            labels=_labels(inputs),
        )

    def place(self, key: str, wanted: str) -> str:
        """The configured project, region or zone. Raises ProviderError when there is none."""
        value: str | None = getattr(self, key)
        if value is None:
            raise ProviderError(
                f"{wanted} is neither set on the resource nor by the provider: "
                f"pulumi config set gcp:{key} VALUE, or set {VARIABLES[key][0]}"
            )
        return value


def _nearby(variables: Mapping[str, str]) -> dict[str, str | None]:
    """The addresses of the APIs of the cloud on this machine, if there is one."""
    cloud = nearby.endpoint(variables)
    return {name: cloud and f"{cloud}{urlsplit(each.base).path}" for name, each in PRODUCTS.items()}


def _labels(inputs: Properties) -> Mapping[str, str]:
    """Labels that everything gets that takes any."""
    given = decoded(inputs.get("defaultLabels")) or {}
    attribution = decoded(inputs.get("addPulumiAttributionLabel"))
    own = {} if attribution is False else {ATTRIBUTION: "true"}
    return {**own, **{str(key): str(value) for key, value in given.items()}}


def decoded(value: Any) -> Any:
    """A value of a provider's input; what isn't text arrives as JSON in text."""
    value = value.element if isinstance(value, Secret) else value
    if isinstance(value, str) and value[:1] in {"{", "[", "t", "f"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _text(value: Any) -> str | None:
    value = value.element if isinstance(value, Secret) else value
    return value if isinstance(value, str) and value else None
