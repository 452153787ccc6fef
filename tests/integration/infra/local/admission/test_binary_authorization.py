"""Binary Authorization by Google's own client: a project's policy decides which images a service may run."""

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from infra.local.control.admission.policy import allows
from tests.integration.infra.local.conftest import PARENT
from tests.integration.infra.local.documented import build, refused

NAME = "projects/shipway-test/policy"
DENY = {"evaluationMode": "ALWAYS_DENY", "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG"}


@pytest.fixture
def projects(cloud):
    with build(cloud.url, "binaryauthorization", "v1") as client:
        yield client.projects()


@pytest.fixture
def services(client):
    return client(run_v2.ServicesClient)


def deploy(services, image, name="hello", **checked):
    wanted = run_v2.Service(
        template=run_v2.RevisionTemplate(containers=[run_v2.Container(image=image)]),
        binary_authorization=run_v2.BinaryAuthorization(**checked),
    )
    return services.create_service(parent=PARENT, service=wanted, service_id=name).result(10)


def test_a_project_without_a_policy_lets_every_image_run(projects, services):
    rule = projects.getPolicy(name=NAME).execute()["defaultAdmissionRule"]
    assert rule["evaluationMode"] == "ALWAYS_ALLOW"
    assert deploy(services, "anywhere.test/x", use_default=True).latest_ready_revision


def test_an_image_that_the_policy_does_not_name_is_refused_in_googles_words(projects, services):
    policy = {
        "defaultAdmissionRule": DENY,
        "admissionWhitelistPatterns": [{"namePattern": "good.test/apps/**"}],
    }
    projects.updatePolicy(name=NAME, body=policy).execute()
    assert deploy(services, "good.test/apps/a/b@sha256:1", use_default=True).latest_ready_revision
    with pytest.raises(
        exceptions.GoogleAPICallError, match="denied by Binary Authorization default admission"
    ):
        deploy(services, "bad.test/apps/x", "other", use_default=True)
    failed = services.get_service(name=f"{PARENT}/services/other")
    assert failed.terminal_condition.reason.name == "CONTAINER_IMAGE_UNAUTHORIZED"


def test_a_service_is_checked_only_when_it_asks_for_it_and_not_with_breakglass(projects, services):
    projects.updatePolicy(name=NAME, body={"defaultAdmissionRule": DENY}).execute()
    assert deploy(services, "bad.test/x", "free").latest_ready_revision
    assert deploy(
        services, "bad.test/x", "urgent", use_default=True, breakglass_justification="an incident"
    ).latest_ready_revision


def test_a_dry_run_lets_everything_run(projects, services):
    rule = {**DENY, "enforcementMode": "DRYRUN_AUDIT_LOG_ONLY"}
    projects.updatePolicy(name=NAME, body={"defaultAdmissionRule": rule}).execute()
    assert deploy(services, "bad.test/x", use_default=True).latest_ready_revision


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({}, "evaluation_mode must be one of"),
        ({"defaultAdmissionRule": {"evaluationMode": "ALWAYS_DENY"}}, "enforcement_mode must be"),
        (
            {"defaultAdmissionRule": {**DENY, "evaluationMode": "REQUIRE_ATTESTATION"}},
            "Attestors are not served",
        ),
        (
            {"defaultAdmissionRule": DENY, "admissionWhitelistPatterns": [{}]},
            "name_pattern must not be empty",
        ),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(projects, policy, message):
    error = refused(projects.updatePolicy(name=NAME, body=policy))
    assert error["code"] == 400
    assert message in error["message"]


def test_a_policy_that_was_changed_meanwhile_is_not_overwritten(projects):
    first = projects.getPolicy(name=NAME).execute()
    projects.updatePolicy(name=NAME, body={"defaultAdmissionRule": DENY}).execute()
    assert refused(projects.updatePolicy(name=NAME, body=first))["status"] == "ABORTED"


@pytest.mark.parametrize(
    ("pattern", "image", "named"),
    [
        ("a.test/x/*", "a.test/x/y@sha256:1", True),
        ("a.test/x/*", "a.test/x/y/z", False),
        ("a.test/x/**", "a.test/x/y/z", True),
        ("a.test/x", "a.test/x", True),
        ("a.test/x", "a.test/xy", False),
        ("a.test/[x]", "a.test/[x]", True),
        ("a.test/[x]", "a.test/x", False),
    ],
)
def test_a_star_stays_within_a_part_of_the_name_and_two_do_not(pattern, image, named):
    assert allows(pattern, image) is named
