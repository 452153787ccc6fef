"""The Pulumi program: one environment of the service, as its stack's configuration says."""

import sys
from pathlib import Path

import pulumi

# Pulumi runs this folder by its path; the modules are the project's, and are found once its root is.
# pylint: disable=wrong-import-position
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from infra.components import (
    BudgetAlert,
    Delivered,
    GithubFederation,
    MlService,
    Naming,
    ServiceAlerts,
    Site,
    TrainingJob,
)
from infra.policies import enforce
from infra.settings import Settings, SettingsError, from_config


def main() -> None:
    """Lay out the environment, and export what the pipeline and the next environment ask for."""
    environment = pulumi.get_stack()
    try:
        settings = from_config(pulumi.Config())
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from error
    enforce(environment)
    site = Site.of(_project(), settings.region, Naming(settings.name, environment))
    release = Delivered.to(environment, settings)
    opts = pulumi.ResourceOptions(
        protect=settings.protection.protect,
        retain_on_delete=settings.protection.retain,
        aliases=[pulumi.Alias(name=name) for name in settings.formerly],
    )
    service = MlService(settings.name, site=site, settings=settings, release=release, opts=opts)
    _around(service, site, settings, release)
    pulumi.export("service_url", service.service_url)
    pulumi.export("repository", service.images.url)
    for part in ("image", "commit", "model", "data"):
        pulumi.export(part, None if release is None else getattr(release, part))
    if release is None:
        pulumi.log.warn(
            "There is no release yet: push an image to the repository, then set "
            "`pulumi config set --path release.image`, .commit, .model and .data."
        )


def _around(service: MlService, site: Site, settings: Settings, release: Delivered | None) -> None:
    """What stands beside the service: training, alerts, who deploys, and what it may cost."""

    def options(suffix: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            protect=settings.protection.protect,
            retain_on_delete=settings.protection.retain,
            depends_on=service.ready,
            aliases=[pulumi.Alias(name=f"{name}-{suffix}") for name in settings.formerly],
        )

    name, workloads = settings.name, {"server": service.identity}
    if release is not None:
        job = TrainingJob(
            f"{name}-training",
            site=site,
            training=settings.training,
            release=release,
            opts=options("training"),
        )
        workloads["trainer"] = job.identity
        pulumi.export("training_job", job.job.name)
    ServiceAlerts(f"{name}-alerts", site=site, alerts=settings.alerts, opts=options("alerts"))
    if settings.github is not None:
        federation = GithubFederation(
            f"{name}-github",
            site=site,
            repository=settings.github,
            images=service.images,
            workloads=workloads,
            opts=options("github"),
        )
        pulumi.export("workload_identity_provider", federation.provider)
        pulumi.export("deployer", federation.deployer)
    if settings.budget.account is not None:
        BudgetAlert(
            f"{name}-budget",
            site=site,
            account=settings.budget.account,
            budget=settings.budget,
            opts=options("budget"),
        )


def _project() -> str:
    project = pulumi.Config("gcp").get("project")
    if project is None:
        raise pulumi.RunError(
            "gcp:project is missing. It may be a Google project's id: pulumi config set gcp:project ID"
        )
    return project


if __name__ == "__main__":
    main()
