"""The service's revision template and its traffic, as Cloud Run wants them told."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import cloudrunv2

from infra.components.naming import Naming
from infra.components.release import Delivered
from infra.settings import Container, Settings

LATEST = "latest"
READY, ALIVE = "/readyz", "/healthz"


def template(
    settings: Settings,
    names: Naming,
    release: Delivered,
    account: pulumi.Input[str],
    variables: Sequence[cloudrunv2.ServiceTemplateContainerEnvArgs],
) -> cloudrunv2.ServiceTemplateArgs:
    """A revision: one container of the release's image, with probes, limits, and labels of its origin."""
    sizes = settings.container
    container = cloudrunv2.ServiceTemplateContainerArgs(
        name=names.service,
        image=release.image,
        ports=cloudrunv2.ServiceTemplateContainerPortsArgs(name="http1", container_port=sizes.port),
        envs=[
            cloudrunv2.ServiceTemplateContainerEnvArgs(name="SHIPWAY_REVISION", value=release.commit),
            cloudrunv2.ServiceTemplateContainerEnvArgs(name="SHIPWAY_IMAGE", value=release.image),
            cloudrunv2.ServiceTemplateContainerEnvArgs(name="SHIPWAY_ENVIRONMENT", value=names.environment),
            *variables,
        ],
        resources=cloudrunv2.ServiceTemplateContainerResourcesArgs(
            limits={"cpu": sizes.cpu, "memory": sizes.memory}, cpu_idle=True, startup_cpu_boost=True
        ),
        startup_probe=_startup(sizes),
        liveness_probe=_liveness(sizes),
    )
    return cloudrunv2.ServiceTemplateArgs(
        containers=[container, *_collector(settings, names)],
        service_account=account,
        timeout=f"{sizes.timeout}s",
        max_instance_request_concurrency=sizes.concurrency,
        scaling=cloudrunv2.ServiceTemplateScalingArgs(
            min_instance_count=settings.scaling.min, max_instance_count=settings.scaling.max
        ),
        labels={**names.labels, **release.labels},
        annotations=release.annotations,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
    )


def _collector(settings: Settings, names: Naming) -> list[cloudrunv2.ServiceTemplateContainerArgs]:
    """The sidecar that takes the service's own numbers to Cloud Monitoring, if one is configured."""
    if settings.alerts.collector is None:
        return []
    return [
        cloudrunv2.ServiceTemplateContainerArgs(
            name="collector",
            image=settings.alerts.collector,
            depends_ons=[names.service],
            resources=cloudrunv2.ServiceTemplateContainerResourcesArgs(
                limits={"cpu": "1", "memory": "512Mi"}
            ),
        )
    ]


def _startup(sizes: Container) -> cloudrunv2.ServiceTemplateContainerStartupProbeArgs:
    # A minute for the model to load: no traffic before it has.
    return cloudrunv2.ServiceTemplateContainerStartupProbeArgs(
        http_get=cloudrunv2.ServiceTemplateContainerStartupProbeHttpGetArgs(path=READY, port=sizes.port),
        initial_delay_seconds=0,
        period_seconds=1,
        timeout_seconds=1,
        failure_threshold=60,
    )


def _liveness(sizes: Container) -> cloudrunv2.ServiceTemplateContainerLivenessProbeArgs:
    return cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
        http_get=cloudrunv2.ServiceTemplateContainerLivenessProbeHttpGetArgs(path=ALIVE, port=sizes.port),
        initial_delay_seconds=0,
        period_seconds=10,
        timeout_seconds=2,
        failure_threshold=3,
    )


def traffic(split: Mapping[str, int]) -> list[cloudrunv2.ServiceTrafficArgs]:
    """Percents by revision; ``latest`` is whichever is ready last."""
    return [
        cloudrunv2.ServiceTrafficArgs(type="TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent=percent)
        if revision == LATEST
        else cloudrunv2.ServiceTrafficArgs(
            type="TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision=revision, percent=percent
        )
        for revision, percent in split.items()
    ]
