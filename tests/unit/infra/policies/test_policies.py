"""The policies: what each refuses, and that the program can't get round them."""

import io
import json

import pulumi
import pytest
from pulumi_gcp import cloudrunv2, projects

from infra.policies import Planned, enforce, violations
from infra.policies.__main__ import main
from tests.unit.infra.program.mocks import IMAGE, RELEASE, run

SERVICE, JOB = "gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/job:Job"
PROBE = {"httpGet": {"path": "/"}}
CONTAINER = {"image": IMAGE, "startupProbe": PROBE, "livenessProbe": PROBE}
TEMPLATE = {"containers": [CONTAINER], "scaling": {"maxInstanceCount": 3}, "serviceAccount": "a@b"}


def broken(kind, inputs, environment="staging"):
    return [violation.policy for violation in violations(Planned(environment, kind, "it", inputs))]


def test_a_service_that_keeps_all_policies_breaks_none():
    assert broken(SERVICE, {"template": TEMPLATE}) == []


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ({"containers": [CONTAINER | {"image": "host/app:latest"}]}, "image-by-digest"),
        ({"containers": [CONTAINER | {"startupProbe": None}]}, "probes-set"),
        ({"containers": [{"image": IMAGE, "startupProbe": PROBE}]}, "probes-set"),
        ({"scaling": {"minInstanceCount": 1}}, "instances-bounded"),
        ({"serviceAccount": None}, "least-privilege"),
        ({"serviceAccount": "1-compute@developer.gserviceaccount.com"}, "least-privilege"),
    ],
)
def test_a_service_that_breaks_a_policy_is_told_which(change, policy):
    assert broken(SERVICE, {"template": TEMPLATE | change}) == [policy]


def test_a_jobs_image_is_by_digest_too():
    task = {"containers": [{"image": "host/app:1"}], "serviceAccount": "a@b"}
    assert broken(JOB, {"template": {"template": task}}) == ["image-by-digest"]


def test_a_sidecar_needs_no_probes():
    served = CONTAINER | {"ports": {"containerPort": 8080}}
    assert broken(SERVICE, {"template": TEMPLATE | {"containers": [served, {"image": IMAGE}]}}) == []


@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
def test_production_is_not_public(member):
    kind = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
    inputs = {"role": "roles/run.invoker", "member": member}
    assert broken(kind, inputs, "production") == ["no-public-invoker-in-production"]
    assert broken(kind, inputs, "staging") == []


def test_production_is_not_public_by_a_binding_or_a_switch():
    kind = "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding"
    inputs = {"role": "roles/run.invoker", "members": ["allUsers"]}
    assert broken(kind, inputs, "production") == ["no-public-invoker-in-production"]
    switched = {"template": TEMPLATE, "invokerIamDisabled": True}
    assert broken(SERVICE, switched, "production") == ["no-public-invoker-in-production"]


@pytest.mark.parametrize("role", ["roles/owner", "roles/editor", "roles/run.admin", "roles/storage.admin"])
def test_nothing_gets_a_basic_or_an_administrators_role(role):
    assert broken("gcp:projects/iAMMember:IAMMember", {"role": role, "member": "user:a"}) == [
        "least-privilege"
    ]


def test_no_keys_are_made():
    assert broken("gcp:serviceaccount/key:Key", {}) == ["no-keys"]


def test_values_that_only_the_update_will_tell_break_nothing():
    unknown = object()
    template = TEMPLATE | {"containers": [CONTAINER | {"image": unknown}], "serviceAccount": unknown}
    assert broken(SERVICE, {"template": template}) == []


def test_a_resource_that_breaks_a_policy_is_never_registered():
    def program():
        enforce("staging")
        projects.IAMMember("ours", project="p", role="roles/owner", member="user:a@example.com")

    with pytest.raises(pulumi.RunError, match=r"policy least-privilege: ours .*roles/owner"):
        run("staging", program=program)


def test_values_inside_outputs_are_seen():
    def program():
        enforce("staging")
        image = pulumi.Output.from_input("host/app:latest").apply(str)
        container = cloudrunv2.JobTemplateTemplateContainerArgs(image=image)
        task = cloudrunv2.JobTemplateTemplateArgs(containers=[container], service_account="a@b")
        cloudrunv2.Job("it", location="l", template=cloudrunv2.JobTemplateArgs(template=task))

    with pytest.raises(pulumi.RunError, match=r"policy image-by-digest: it .*host/app:latest"):
        run("staging", program=program)


def test_the_program_refuses_a_public_production():
    accepted = {"organization/shipway/acceptance": RELEASE}
    protection = {"protect": True, "public": True}
    with pytest.raises(pulumi.RunError, match="policy no-public-invoker-in-production"):
        run("production", {"protection": protection}, accepted)


def plan(monkeypatch, *steps):
    document = {"steps": [{"op": "create", "newState": step} for step in steps]}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(document)))
    return main()


def test_a_plan_is_checked_without_the_program(monkeypatch, capsys):
    state = {
        "urn": f"urn:pulumi:production::shipway::{SERVICE}::it",
        "type": SERVICE,
        "inputs": {"template": TEMPLATE | {"containers": [CONTAINER | {"image": "host/app:1"}]}},
    }
    assert plan(monkeypatch, state) == 1
    assert "policy image-by-digest: it" in capsys.readouterr().err
    state["inputs"] = {"template": TEMPLATE}
    assert plan(monkeypatch, state) == 0


def test_what_is_no_plan_is_said_to_be_none(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("not JSON"))
    assert main() == 2
    assert "no plan of `pulumi preview --json`" in capsys.readouterr().err
