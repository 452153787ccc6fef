"""Secrets of the service: in Secret Manager, for the service's account alone, as environment variables."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import cloudrunv2, secretmanager

from infra.components.site import Site


class ServiceSecrets(pulumi.ComponentResource):
    """A secret with one version for each environment variable; ``variables`` are for the container."""

    variables: list[cloudrunv2.ServiceTemplateContainerEnvArgs]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        values: Mapping[str, str],
        reader: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:ServiceSecrets", name, None, opts)
        self.variables, self.ready = [], []
        for variable, value in values.items():
            self._add(name, site, variable, pulumi.Output.secret(value), reader)
        self.register_outputs({})

    def _add(
        self, name: str, site: Site, variable: str, value: pulumi.Output[str], reader: pulumi.Input[str]
    ) -> None:
        child = pulumi.ResourceOptions(parent=self)
        logical = f"{name}-{variable}"
        secret = secretmanager.Secret(
            logical,
            project=site.project,
            secret_id=site.names.secret(variable),
            labels=site.names.labels,
            replication=secretmanager.SecretReplicationArgs(auto=secretmanager.SecretReplicationAutoArgs()),
            opts=child,
        )
        version = secretmanager.SecretVersion(logical, secret=secret.id, secret_data=value, opts=child)
        grant = secretmanager.SecretIamMember(
            logical,
            project=site.project,
            secret_id=secret.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=reader,
            opts=child,
        )
        reference = cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
            secret=secret.secret_id, version=version.version
        )
        self.variables.append(
            cloudrunv2.ServiceTemplateContainerEnvArgs(
                name=variable,
                value_source=cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(secret_key_ref=reference),
            )
        )
        self.ready += [version, grant]
