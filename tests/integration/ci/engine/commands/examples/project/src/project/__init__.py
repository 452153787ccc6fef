"""What is generated for a project, and what serves it."""

from typing import Annotated

import dagger
from dagger import DefaultPath, Ignore, dag, function, generate, object_type, up

PORT = 80


@object_type
class Project:
    """A project."""

    source: Annotated[dagger.Directory, DefaultPath("."), Ignore(["**", "!*.txt"])]

    @generate
    @function
    def version_file(self) -> dagger.Changeset:
        """Write the version down.

        In a file.
        """
        return self.source.with_new_file("version.txt", "1").changes(self.source)

    @up
    @function
    def web(self) -> dagger.Service:
        """Serve a page"""
        page = dag.directory().with_new_file("index.html", "served")
        serving = dag.container().from_("busybox").with_directory("/www", page).with_exposed_port(PORT)
        return serving.as_service(args=["httpd", "-f", "-p", str(PORT), "-h", "/www"])
