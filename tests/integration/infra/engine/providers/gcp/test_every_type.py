"""Every resource that the program registers: made, compared, found again, imported, taken away."""

import pytest
from pulumi.runtime import rpc

from infra.engine.providers.gcp.shaping import plain
from tests.integration.infra.engine.providers.gcp.conftest import PROJECT, target
from tests.unit.infra.program.mocks import RELEASE, run

CONFIG = {
    "release": RELEASE,
    "github": "example/shipway",
    "budget": {"account": "012345-6789AB-CDEF01"},
    "secrets": {"KEY": "made-up"},
    "protection": {"public": True},
}
PROTECTED_UNLESS_SAID = {"deletionProtection"}


def shown(value):
    if rpc.is_rpc_secret(value):
        return shown(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def registered():
    """Names, types and inputs, in an order in which they can be made."""
    recorder, _ = run("staging", CONFIG)
    resources = [
        (name, kind, shown(inputs))
        for (name, kind), inputs in recorder.resources.items()
        if kind[:4] == "gcp:"
    ]
    channel = {
        "project": PROJECT,
        "type": "email",
        "displayName": "on call",
        "labels": {"email_address": "a@b.c"},
    }
    return [*resources, ("channel", "gcp:monitoring/notificationChannel:NotificationChannel", channel)]


async def test_they_are_made_and_then_there_is_nothing_left_to_do(gcp, registered):
    for name, kind, inputs in registered:
        made = await gcp.create(kind, name, inputs)
        assert (await made.diff()).detailed == {}, name
        assert not (await made.diff()).changes


async def test_they_read_as_they_were_made(gcp, registered):
    for name, kind, inputs in registered:
        made = await gcp.create(kind, name, inputs)
        found = await made.read()
        assert (found.id, found.outputs, found.inputs) == (made.id, made.outputs, made.inputs), name


async def test_after_a_crash_they_are_found_by_what_was_wanted(gcp, registered):
    for name, kind, inputs in registered:
        before = await gcp.provider.recover(target(kind, name), await gcp.check(kind, name, inputs))
        made = await gcp.create(kind, name, inputs)
        after = await gcp.provider.recover(made.target, made.inputs)
        assert after is not None
        assert after.id == made.id, name
        # An API that nobody switched off is on.
        assert kind == "gcp:projects/service:Service" or before is None or not before.id, name


async def test_they_are_imported_by_their_ids(gcp, registered):
    for name, kind, inputs in registered:
        made = await gcp.create(kind, name, inputs)
        found = await gcp.provider.read(made.target, made.id, {}, {})
        diff = await gcp.provider.diff(made.target, made.id, found.inputs, found.outputs, made.inputs, ())
        assert set(diff.detailed) <= PROTECTED_UNLESS_SAID, name


async def test_they_are_deleted_once_and_once_more_is_no_error(gcp, registered):
    made = [await gcp.create(kind, name, inputs) for name, kind, inputs in registered]
    for resource in reversed(made):
        await resource.delete()
        if resource.target.type != "gcp:projects/service:Service":
            assert (await resource.read()).id == "", resource.target
            await resource.delete()


async def test_a_preview_knows_what_is_wanted_and_touches_nothing(gcp, registered, api):
    for name, kind, inputs in registered:
        checked = await gcp.check(kind, name, inputs)
        planned = await gcp.provider.create(target(kind, name), checked, preview=True)
        assert planned.id == ""
        wanted = plain(checked)
        assert {key: planned.outputs[key] for key in wanted} == wanted, name
    services = api.get(f"/v2/projects/{PROJECT}/locations/europe-west1/services").json()
    assert services.get("services", []) == []
