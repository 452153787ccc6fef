"""What an environment runs: the release in its configuration, or what the environment before it ran."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import pulumi

from infra.components.naming import label
from infra.settings import PROMOTES, Release, Settings


@dataclass(frozen=True, slots=True)
class Delivered:
    """A release by values that may arrive later: an image by digest, and the digests of what went into it."""

    image: pulumi.Output[str]
    commit: pulumi.Output[str]
    model: pulumi.Output[str]
    data: pulumi.Output[str]

    @classmethod
    def to(cls, environment: str, settings: Settings) -> Delivered | None:
        """What an environment runs, None if nothing yet. Raises pulumi.RunError if it may not choose.

        Without a release in the configuration it goes on with the one that it runs: an update by hand changes
        settings, and delivers nothing.
        """
        source = PROMOTES.get(environment)
        if source is None:
            release = settings.release or _running(environment)
            return None if release is None else cls.of(release)
        if settings.release is not None:
            raise pulumi.RunError(
                f"shipway:release is set, but {environment} takes the digest that {source} ran: "
                f"pulumi config rm shipway:release --stack {environment}"
            )
        stack = pulumi.StackReference(f"{pulumi.get_organization()}/{pulumi.get_project()}/{source}")

        def required(value: str | None) -> str:
            if value is None:
                raise pulumi.RunError(
                    f"{source} has run no release yet, and {environment} takes the digest that it ran: "
                    f"pulumi up --stack {source}"
                )
            return value

        return cls(*(stack.get_output(part).apply(required) for part in ("image", "commit", "model", "data")))

    @classmethod
    def of(cls, release: Release) -> Delivered:
        """A release that is known."""
        return cls(**{name: pulumi.Output.from_input(value) for name, value in asdict(release).items()})

    @property
    def labels(self) -> dict[str, pulumi.Input[str]]:
        """Commit, model and data as labels."""
        return {name: value.apply(label) for name, value in self._parts.items()}

    @property
    def annotations(self) -> dict[str, pulumi.Input[str]]:
        """Commit, model and data in full."""
        return {f"shipway/{name}": value for name, value in self._parts.items()}

    @property
    def _parts(self) -> dict[str, pulumi.Output[str]]:
        return {"commit": self.commit, "model": self.model, "data": self.data}


def _running(environment: str) -> Release | None:
    """The release that the stack's own last update exported."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{environment}"
    read = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value or {}
    outputs = read.get("outputs") or {}
    parts = {field.name: str(outputs.get(field.name) or "") for field in fields(Release)}
    return Release(**parts) if all(parts.values()) else None
