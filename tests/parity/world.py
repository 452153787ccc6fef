"""What every pipeline of the corpus is given: a client, a base, a folder of the host, a name of its own."""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagger


@dataclass(frozen=True, slots=True)
class World:
    """One pipeline's surroundings; `folder` is on the host; `post` sends a document as it is."""

    dag: dagger.Client
    base: dagger.Container
    folder: Path
    post: Callable[[str], Awaitable[object]]
    unique: str = field(default_factory=lambda: uuid.uuid4().hex)

    def directory(self) -> dagger.Directory:
        """An empty directory."""
        return self.dag.directory()

    def tree(self, *paths: str) -> dagger.Directory:
        """A directory of files whose content is their own path; a path with a slash behind is a directory."""
        made = self.dag.directory()
        for path in paths:
            is_directory = path.endswith("/")
            made = made.with_new_directory(path) if is_directory else made.with_new_file(path, path)
        return made

    def on_host(self, files: Mapping[str, str]) -> str:
        """Write files to the folder of the host; returns its path."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(self.folder)

    async def shell(self, script: str, container: dagger.Container | None = None) -> str:
        """What a shell prints in the base container, or in another one."""
        return await (container or self.base).with_exec(["sh", "-c", script]).stdout()


Pipeline = Callable[[World], Awaitable[object]]
Room = Mapping[str, Pipeline]
