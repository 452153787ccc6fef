"""What Cloud Run keeps: one shelf for each kind of its resources, and the operations on them."""

from google.cloud import run_v2

from infra.local.control.operations import Operations
from infra.local.state import Shelf, Store


class Shelves:
    """The resources of Cloud Run in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.operations = Operations(store)
        self.services = Shelf(store, "service", run_v2.Service)
        self.revisions = Shelf(store, "revision", run_v2.Revision)
        self.jobs = Shelf(store, "job", run_v2.Job)
        self.executions = Shelf(store, "execution", run_v2.Execution)
        self.tasks = Shelf(store, "task", run_v2.Task)

    def images(self) -> set[str]:
        """The images of all that may be started: revisions, jobs and their executions."""
        containers = [container for each in self.revisions.all() for container in each.containers]
        for job in self.jobs.all():
            containers += job.template.template.containers
        for execution in self.executions.all():
            containers += execution.template.containers
        return {container.image for container in containers}
