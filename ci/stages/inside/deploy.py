"""Runs inside a container: makes a Cloud Run service what it is wanted to be, with Google's own client.

Usage: deploy.py API WANTED. API is the base URL of Cloud Run's API; WANTED is JSON: ``name`` (the service's
full name), ``image``, ``port``, ``labels``, ``variables``. Prints JSON: the ``revision`` that serves, the
service's ``url``, and whether anything was ``changed``.

A service that is as wanted already is left alone; that is found out without the client, which is slow to
import. What was wanted is kept in an annotation, together with the generation that it became: a service that
somebody changed since then has another one.
"""

import hashlib
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

TOKEN = "GOOGLE_OAUTH_ACCESS_TOKEN"  # noqa: S105  # a variable's name
WISH, GENERATION = "shipway/wish", "shipway/generation"
SECONDS = 600.0


def main(api: str, path: str) -> int:
    """Deploy and print what serves; 1 when the service is not what it should be."""
    wanted = json.loads(Path(path).read_text(encoding="utf-8"))
    token = os.environ.get(TOKEN, "")
    found = look(f"{api}/v2/{wanted['name']}", token)
    changed = found is None or not serves(found, wanted)
    if changed:
        apply(api, wanted, 0 if found is None else int(found.get("generation", 0)), token)
        found = look(f"{api}/v2/{wanted['name']}", token) or {}
    assert found is not None  # noqa: S101  # for the type checker
    revision = found["latestReadyRevision"].rpartition("/")[2]
    print(json.dumps({"revision": revision, "url": found["uri"], "changed": changed}))
    return 0


def look(url: str, token: str) -> dict[str, Any] | None:
    """The service, as JSON; none if it is not there."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def serves(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether the service is what it should be, and nobody has changed it since it was made so."""
    notes = found.get("annotations", {})
    state = found.get("terminalCondition", {}).get("state")
    if notes.get(WISH) != digest(wanted) or state != "CONDITION_SUCCEEDED":
        return False
    return bool(notes.get(GENERATION) == found.get("generation") == found.get("observedGeneration"))


def digest(wanted: dict[str, Any]) -> str:
    """What is wanted, by its content."""
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def apply(api: str, wanted: dict[str, Any], generation: int, token: str) -> None:
    """Create or update the service and wait until its new revision serves.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: it does not; the text is Google's.
    """
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import run_v2
    from google.cloud.run_v2.services.services.transports import ServicesRestTransport
    from google.oauth2.credentials import Credentials

    # Google's libraries of authentication are without types.
    given: Any = Credentials
    none: Any = AnonymousCredentials
    scheme, _, host = api.partition("://")
    client = run_v2.ServicesClient(
        transport=ServicesRestTransport(
            host=host,
            url_scheme=scheme,
            credentials=given(token) if token else none(),
        )
    )
    container = run_v2.Container(
        image=wanted["image"],
        ports=[run_v2.ContainerPort(container_port=wanted["port"])],
        env=[run_v2.EnvVar(name=name, value=value) for name, value in sorted(wanted["variables"].items())],
        resources=run_v2.ResourceRequirements(limits={"cpu": "1", "memory": "1Gi"}),
        startup_probe=probe("/readyz", period_seconds=1, failure_threshold=120),
        liveness_probe=probe("/healthz", period_seconds=10, failure_threshold=3),
    )
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    service = run_v2.Service(
        name=wanted["name"],
        labels={name: value for name, value in wanted["labels"].items() if value},
        annotations={WISH: digest(wanted), GENERATION: str(generation + 1)},
        template=run_v2.RevisionTemplate(
            containers=[container],
            scaling=run_v2.RevisionScaling(max_instance_count=4),
            labels={name: value for name, value in wanted["labels"].items() if value},
        ),
        traffic=[run_v2.TrafficTarget(type_=latest, percent=100)],
    )
    done: Any = client.update_service(run_v2.UpdateServiceRequest(service=service, allow_missing=True))
    done.result(timeout=SECONDS)


def probe(path: str, **times: int) -> Any:
    """A probe of a path."""
    from google.cloud import run_v2

    return run_v2.Probe(http_get=run_v2.HTTPGetAction(path=path), timeout_seconds=1, **times)


def reason(error: Exception) -> str:
    """What a person can do something with: Google's message, or what the connection died of."""
    if isinstance(error, urllib.error.HTTPError):
        text = error.read().decode(errors="replace")
        try:
            return f"{error.url} answered {error.code}: {json.loads(text)['error']['message']}"
        except (ValueError, KeyError, TypeError):
            return f"{error.url} answered {error.code}: {text[:500]}"
    return str(getattr(error, "message", "") or error)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # the client's are many
        print(f"The service was not deployed: {reason(error)}", file=sys.stderr)
        sys.exit(1)
