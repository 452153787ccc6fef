"""What Cloud Run fills in where a request is silent: https://cloud.google.com/run/docs/reference/rest/v2."""

from datetime import timedelta

from google.cloud import run_v2

from infra.local.control.names import Place, project_number

DEFAULT_PORT = 8080
LATEST = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
ALL = run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
GEN2 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2


def fill_service(service: run_v2.Service) -> None:
    """Set the defaults of a service that do not go into its revisions."""
    if service.ingress == 0:
        service.ingress = run_v2.IngressTraffic(ALL)
    service.launch_stage = service.launch_stage or 4
    if not service.traffic:
        service.traffic.append(run_v2.TrafficTarget(type_=LATEST, percent=100))


def fill_template(template: run_v2.RevisionTemplate, place: Place) -> None:
    """Set the defaults of a revision template."""
    template.timeout = template.timeout or timedelta(seconds=300)
    template.service_account = template.service_account or default_account(place)
    template.max_instance_request_concurrency = template.max_instance_request_concurrency or 80
    if not template.scaling.max_instance_count:
        template.scaling.max_instance_count = 100
    for container in template.containers:
        if not container.ports:
            container.ports.append(run_v2.ContainerPort())
        port = container.ports[0]
        port.name, port.container_port = port.name or "http1", port.container_port or DEFAULT_PORT
        _fill_resources(container)
        container.resources.cpu_idle = (
            container.resources.cpu_idle if "cpu_idle" in container.resources else True
        )
        container.resources.startup_cpu_boost = True
        if "startup_probe" not in container:
            container.startup_probe = run_v2.Probe(
                timeout_seconds=240,
                period_seconds=240,
                failure_threshold=1,
                tcp_socket=run_v2.TCPSocketAction(port=port.container_port),
            )
        for name in ("startup_probe", "liveness_probe", "readiness_probe"):
            if name in container:
                _fill_probe(getattr(container, name), port.container_port)


def fill_job(job: run_v2.Job, place: Place) -> None:
    """Set the defaults of a job."""
    job.launch_stage = job.launch_stage or 4
    job.template.task_count = job.template.task_count or 1
    task = job.template.template
    task.timeout = task.timeout or timedelta(seconds=600)
    task.service_account = task.service_account or default_account(place)
    if task.execution_environment == 0:
        task.execution_environment = run_v2.ExecutionEnvironment(GEN2)
    if "max_retries" not in task:
        task.max_retries = 3
    for container in task.containers:
        _fill_resources(container)


def default_account(place: Place) -> str:
    """The service account that runs what names none."""
    return f"{project_number(place.project)}-compute@developer.gserviceaccount.com"


def _fill_resources(container: run_v2.Container) -> None:
    for name, value in (("cpu", "1000m"), ("memory", "512Mi")):
        if name not in container.resources.limits:
            container.resources.limits[name] = value


def _fill_probe(probe: run_v2.Probe, port: int) -> None:
    probe.timeout_seconds = probe.timeout_seconds or 1
    probe.period_seconds = probe.period_seconds or 10
    probe.failure_threshold = probe.failure_threshold or 3
    if "http_get" in probe:
        probe.http_get.path = probe.http_get.path or "/"
        probe.http_get.port = probe.http_get.port or port
    elif "tcp_socket" in probe:
        probe.tcp_socket.port = probe.tcp_socket.port or port
    elif "grpc" in probe:
        probe.grpc.port = probe.grpc.port or port
