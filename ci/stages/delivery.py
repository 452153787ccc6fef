"""Where a stage delivers to, as Dagger objects: names in the cloud, and how its addresses are reached."""

from dataclasses import dataclass

import dagger
from dagger import dag

from ci.settings import Deploy
from ci.target import TOKEN, Addresses, Target

#: What a container calls the cloud on the machine of Dagger's client.
HOST = "cloud"
_GOOGLE = "https://run.googleapis.com"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An environment of the service.

    `api` is the URL of Cloud Run's API as a container sees it, `services` the address (host:port) at which it
    finds services, "" where their own URLs lead to them. `machine` is bound as HOST where there is one;
    `token` is an access token for Google's.
    """

    environment: str
    project: str
    region: str
    service: str
    registry: str
    commit: str
    api: str
    services: str = ""
    machine: dagger.Service | None = None
    token: dagger.Secret | None = None

    @property
    def image(self) -> str:
        """The image's name in the registry, without a tag."""
        return f"{self.registry}/{self.service}"

    @property
    def parent(self) -> str:
        """Where the service is, as Cloud Run says it."""
        return f"projects/{self.project}/locations/{self.region}"

    def within_reach(self, container: dagger.Container) -> dagger.Container:
        """A container that reaches the cloud's API, with the token in its environment."""
        if self.machine is not None:
            container = container.with_service_binding(HOST, self.machine)
        if self.token is not None:
            container = container.with_secret_variable(TOKEN, self.token)
        return container


def to_local(names: Deploy, target: Target, addresses: Addresses) -> Delivery:
    """Deliver to the cloud on this machine."""
    project = names.project.format(env=target.environment)
    api, services = (int(address.rpartition(":")[2]) for address in (addresses.api, addresses.services))
    forwards = [dagger.PortForward(backend=port, frontend=port) for port in (api, services)]
    return Delivery(
        target.environment,
        project,
        names.region,
        names.service,
        f"{addresses.registry}/{project}/{names.repository}",
        target.commit,
        api=f"http://{HOST}:{api}",
        services=f"{HOST}:{services}",
        machine=dag.host().service(forwards, host=addresses.api.rpartition(":")[0]),
    )


def to_google(names: Deploy, target: Target, token: dagger.Secret) -> Delivery:
    """Deliver to Google Cloud."""
    project = names.project.format(env=target.environment)
    return Delivery(
        target.environment,
        project,
        names.region,
        names.service,
        f"{names.region}-docker.pkg.dev/{project}/{names.repository}",
        target.commit,
        api=_GOOGLE,
        token=token,
    )
