"""Where a service answers: its host names on the front proxy, and those of its tags."""

from infra.local.control.names import last, place_of, project_number, url_hash

DOMAIN = "run.localhost"


def hosts(service: str) -> tuple[str, str]:
    """The host names of a service: the canonical one, and the one with the project's number."""
    place, name = place_of(service), last(service)
    return (
        f"{name}-{url_hash(place)}.{place.location}.{DOMAIN}",
        f"{name}-{project_number(place.project)}.{place.location}.{DOMAIN}",
    )


def url(host: str, port: int, tag: str = "") -> str:
    """The URL of a host name on the proxy's port, of one of its tags where `tag` is not empty."""
    return f"http://{f'{tag}---' if tag else ''}{host}:{port}"
