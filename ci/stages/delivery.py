"""Where a stage delivers to, as Dagger objects: names in the cloud, and how its addresses are reached."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagger
from dagger import dag

from ci.settings import Deploy
from ci.target import PROMOTES, TOKEN, Addresses, Target

#: What a container calls the cloud on the machine of Dagger's client.
HOST = "cloud"
_GOOGLE = "https://{}.googleapis.com"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An environment of the service.

    `api` is the base URL of Google's APIs as a container sees it, with "{}" where an API's name goes;
    `services` is the address (host:port) at which it finds services, "" where their own URLs lead to them.
    `variables` lead Google's provider to the cloud; `machine` is bound as HOST where there is one; `token` is
    an access token for Google's.
    """

    target: Target
    names: Deploy
    registry: str
    api: str
    services: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    machine: dagger.Service | None = None
    token: dagger.Secret | None = None
    passphrase: dagger.Secret | None = None

    @property
    def environment(self) -> str:
        """The environment's name, which is the stack's."""
        return self.target.environment

    @property
    def promoted(self) -> str:
        """The environment whose image this one takes; "" when it has one of its own."""
        return PROMOTES.get(self.environment, "")

    @property
    def project(self) -> str:
        """The Google project of the environment."""
        return self.names.project.format(env=self.environment)

    @property
    def image(self) -> str:
        """The image's name in Artifact Registry, without a tag: the one that Cloud Run is told."""
        return f"{_artifacts(self.names, self.project)}/{self.names.service}"

    @property
    def pushed(self) -> str:
        """The image's name at the address where it is pushed, without a tag."""
        return f"{self.registry}/{self.names.service}"

    @property
    def service(self) -> str:
        """The service's full name."""
        return f"projects/{self.project}/locations/{self.names.region}/services/{self.names.service}"

    @property
    def repository(self) -> str:
        """The full name of the registry's repository."""
        return f"projects/{self.project}/locations/{self.names.region}/repositories/{self.names.repository}"

    def url(self, api: str) -> str:
        """The base URL of one of Google's APIs."""
        return self.api.format(api)

    def within_reach(self, container: dagger.Container) -> dagger.Container:
        """A container that reaches the cloud, with what it takes to be let in."""
        if self.machine is not None:
            container = container.with_service_binding(HOST, self.machine)
        for name, value in self.variables.items():
            container = container.with_env_variable(name, value)
        if self.token is not None:
            container = container.with_secret_variable(TOKEN, self.token)
        return container


def to_local(names: Deploy, target: Target, addresses: Addresses, passphrase: dagger.Secret) -> Delivery:
    """Deliver to the cloud on this machine."""
    api, services = (int(address.rpartition(":")[2]) for address in (addresses.api, addresses.services))
    base = f"http://{HOST}:{api}"
    forwards = [dagger.PortForward(backend=port, frontend=port) for port in (api, services)]
    project = names.project.format(env=target.environment)
    return Delivery(
        target,
        names,
        f"{addresses.registry}/{project}/{names.repository}",
        api=base,
        services=f"{HOST}:{services}",
        variables={
            name: value.replace(f"http://{addresses.api}", base)
            for name, value in addresses.variables.items()
        },
        machine=dag.host().service(forwards, host=addresses.api.rpartition(":")[0]),
        passphrase=passphrase,
    )


def to_google(names: Deploy, target: Target, token: dagger.Secret, passphrase: dagger.Secret) -> Delivery:
    """Deliver to Google Cloud."""
    project = names.project.format(env=target.environment)
    return Delivery(
        target,
        names,
        _artifacts(names, project),
        api=_GOOGLE,
        token=token,
        passphrase=passphrase,
    )


def _artifacts(names: Deploy, project: str) -> str:
    return f"{names.region}-docker.pkg.dev/{project}/{names.repository}"
