"""``Query.http``: a file from a URL."""

from __future__ import annotations

from ci.engine.api.registry import Call, serves
from ci.engine.api.types.common import works
from ci.engine.graph.files import File, Fixed
from ci.engine.graph.host import httpfile
from ci.engine.graph.host.httpfile import Fetch
from ci.engine.graph.secret import Secret
from ci.engine.graph.serving.service import Service
from ci.engine.store.tree import Snapshot


@serves("Query")
async def http(
    call: Call,
    _parent: object,
    *,
    url: str,
    name: str | None = None,
    permissions: int | None = None,
    checksum: str | None = None,
    auth_header: Secret | None = None,
    experimental_service_host: Service | None = None,
) -> File:
    """The file that a URL leads to, asked for once a session."""
    parts = works(call)
    if checksum:
        httpfile.check_digest(checksum)
    named = name or httpfile.file_name(url)
    mode = 0o600 if permissions is None else permissions

    async def fetched() -> Snapshot:
        header = ""
        if auth_header is not None:
            header = (await call.session.secrets.plaintext(auth_header)).decode("utf-8", "surrogateescape")
        wanted = Fetch(url, named, mode, checksum or "", header)
        if experimental_service_host is None:
            return await httpfile.fetch(parts.evaluator, wanted)
        service = experimental_service_host
        bound = ((service.hostname, service),)
        async with parts.services.using(parts.evaluator, parts.surroundings, bound) as (running,):
            place = Fetch(url, named, mode, checksum or "", header, running.address)
            return await httpfile.fetch(parts.evaluator, place)

    secret = None if auth_header is None else auth_header.digest
    service_digest = None if experimental_service_host is None else experimental_service_host.digest
    key = ("http", url, named, mode, checksum, secret, service_digest)
    return File(Fixed(await parts.evaluator.once.get(key, fetched)), "/" + named)
