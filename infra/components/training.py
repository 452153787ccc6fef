"""The training job: the same code that trained the release, run by Cloud Run when somebody asks for it."""

from __future__ import annotations

import pulumi
from pulumi_gcp import cloudrunv2, storage

from infra.components.identity import OBSERVED, Identity
from infra.components.release import Delivered
from infra.components.site import Site
from infra.settings import Training

DATA, OUTPUT = "/data", "/output"


class TrainingJob(pulumi.ComponentResource):
    """A job with an identity of its own, which may read the data's bucket and nothing else."""

    job: cloudrunv2.Job
    identity: Identity

    def __init__(
        self,
        name: str,
        *,
        site: Site,
        training: Training,
        release: Delivered,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shipway:infra:TrainingJob", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.identity = Identity(
            f"{name}-trainer", site=site, role="trainer", purpose="trains", roles=OBSERVED, opts=child
        )
        waits: list[pulumi.Resource] = []
        if training.bucket is not None:
            waits.append(
                storage.BucketIAMMember(
                    f"{name}-data",
                    bucket=training.bucket,
                    role="roles/storage.objectViewer",
                    member=self.identity.member,
                    opts=child,
                )
            )
        self.job = cloudrunv2.Job(
            f"{name}-job",
            project=site.project,
            location=site.region,
            name=site.names.training,
            labels={**site.names.labels, **release.labels},
            deletion_protection=False,
            template=cloudrunv2.JobTemplateArgs(
                task_count=1,
                labels={**site.names.labels, **release.labels},
                template=_task(training, release, self.identity.email),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=waits),
        )
        self.register_outputs({"job": self.job.name})


def _task(
    training: Training, release: Delivered, account: pulumi.Input[str]
) -> cloudrunv2.JobTemplateTemplateArgs:
    volumes = [
        cloudrunv2.JobTemplateTemplateVolumeArgs(
            name="output",
            empty_dir=cloudrunv2.JobTemplateTemplateVolumeEmptyDirArgs(medium="MEMORY", size_limit="512Mi"),
        )
    ]
    mounts = [cloudrunv2.JobTemplateTemplateContainerVolumeMountArgs(name="output", mount_path=OUTPUT)]
    if training.bucket is not None:
        bucket = cloudrunv2.JobTemplateTemplateVolumeGcsArgs(bucket=training.bucket, read_only=True)
        volumes.append(cloudrunv2.JobTemplateTemplateVolumeArgs(name="data", gcs=bucket))
        mounts.append(cloudrunv2.JobTemplateTemplateContainerVolumeMountArgs(name="data", mount_path=DATA))
    container = cloudrunv2.JobTemplateTemplateContainerArgs(
        image=training.image or release.image,
        commands=["python3", "-m", "app.training"],
        args=["--data", training.table, "--output", OUTPUT],
        envs=[cloudrunv2.JobTemplateTemplateContainerEnvArgs(name="SHIPWAY_REVISION", value=release.commit)],
        resources=cloudrunv2.JobTemplateTemplateContainerResourcesArgs(
            limits={"cpu": training.cpu, "memory": training.memory}
        ),
        volume_mounts=mounts,
    )
    return cloudrunv2.JobTemplateTemplateArgs(
        containers=[container],
        volumes=volumes,
        service_account=account,
        timeout=f"{training.timeout}s",
        max_retries=training.retries,
        execution_environment="EXECUTION_ENVIRONMENT_GEN2",
    )
