"""The program, whole: what each environment registers."""

import pulumi
import pytest

from infra.settings import ENVIRONMENTS
from tests.unit.infra.program.mocks import IMAGE, RELEASE, run

EVERYTHING = {
    "release": RELEASE,
    "github": "example/shipway",
    "budget": {"account": "012345-6789AB-CDEF01"},
    "secrets": {"AUDIT_KEY": "made-up"},
    "alerts": {"emails": ["on-call@example.com"]},
    "protection": {"public": True},
}
PROTECTED = {"protection": {"protect": True}}
ACCEPTED = {"organization/shipway/acceptance": RELEASE}


@pytest.fixture(scope="module")
def staging():
    return run("staging", EVERYTHING)


def service(recorder):
    return recorder.of("Service")["loan-decisions-service"]


def test_the_service_runs_the_release_by_digest_with_probes_limits_and_an_account_of_its_own(staging):
    template = service(staging[0])["template"]
    (container,) = template["containers"]
    assert container["image"] == IMAGE
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert template["scaling"] == {"minInstanceCount": 0, "maxInstanceCount": 3}
    assert template["serviceAccount"] == "loan-decisions-server@shipway-staging.iam.gserviceaccount.com"


def test_labels_tell_commit_model_and_data_and_annotations_tell_them_in_full(staging):
    inputs = service(staging[0])
    assert inputs["labels"] == {
        "application": "loan-decisions",
        "environment": "staging",
        "managed-by": "pulumi",
        "commit": "c" * 40,
        "model": "d" * 63,
        "data": "e" * 63,
    }
    assert inputs["template"]["annotations"]["shipway/model"] == "d" * 64


def test_all_traffic_goes_to_the_latest_revision_unless_a_split_is_configured(staging):
    assert service(staging[0])["traffics"] == [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    ]
    recorder, _ = run("staging", EVERYTHING | {"traffic": {"latest": 10, "loan-decisions-00001-abc": 90}})
    assert service(recorder)["traffics"] == [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 10},
        {
            "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
            "revision": "loan-decisions-00001-abc",
            "percent": 90,
        },
    ]


def test_what_the_next_environment_and_the_pipeline_ask_for_is_exported(staging):
    outputs = staging[1]
    assert outputs["service_url"] == "https://loan-decisions.run.app"
    assert outputs["repository"] == "europe-west1-docker.pkg.dev/shipway-staging/loan-decisions"
    assert {part: outputs[part] for part in RELEASE} == RELEASE


def test_a_secret_is_a_variable_by_reference_and_its_value_goes_to_secret_manager_alone(staging):
    recorder = staging[0]
    (container,) = service(recorder)["template"]["containers"]
    variables = {variable["name"]: variable for variable in container["envs"]}
    assert variables["AUDIT_KEY"]["valueSource"]["secretKeyRef"]["secret"] == "loan-decisions-audit-key"
    holders = [kind for (_, kind), inputs in recorder.resources.items() if "made-up" in str(inputs)]
    assert holders == ["gcp:secretmanager/secretVersion:SecretVersion"]
    (grant,) = recorder.of("SecretIamMember").values()
    assert grant["role"] == "roles/secretmanager.secretAccessor"


def test_workloads_get_no_more_than_to_log_and_to_measure(staging):
    granted = {
        (inputs["member"].partition("@")[0].partition(":")[2], inputs["role"])
        for inputs in staging[0].of("IAMMember").values()
        if "project" in inputs
    }
    assert granted == {
        ("loan-decisions-server", "roles/logging.logWriter"),
        ("loan-decisions-server", "roles/monitoring.metricWriter"),
        ("loan-decisions-trainer", "roles/logging.logWriter"),
        ("loan-decisions-trainer", "roles/monitoring.metricWriter"),
        ("loan-decisions-deployer", "roles/run.developer"),
    }


def test_only_the_repositorys_own_deployments_to_the_environment_act_as_the_deployer(staging):
    recorder = staging[0]
    (provider,) = recorder.of("WorkloadIdentityPoolProvider").values()
    assert provider["attributeCondition"] == "assertion.repository == 'example/shipway'"
    assert recorder.of("IAMMember")["loan-decisions-github-federated"]["member"] == (
        "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/"
        "loan-decisions-github/subject/repo:example/shipway:environment:staging"
    )
    assert not recorder.of("Key")


def test_four_alert_policies_reach_the_people_named(staging):
    policies = staging[0].of("AlertPolicy")
    assert {name.rpartition("-")[2] for name in policies} == {"errors", "latency", "drift", "doubt"}
    assert all(len(policy["notificationChannels"]) == 1 for policy in policies.values())


def test_decisions_are_counted_in_the_log_by_outcome(staging):
    (metric,) = staging[0].of("Metric").values()
    assert metric["labelExtractors"] == {"decision": "EXTRACT(jsonPayload.decision)"}
    (condition,) = staging[0].of("AlertPolicy")["loan-decisions-alerts-doubt"]["conditions"]
    assert (
        'logging.googleapis.com/user/loan-decisions-decisions"' in condition["conditionThreshold"]["filter"]
    )
    assert "refer" not in condition["conditionThreshold"]["denominatorFilter"]


def test_the_collector_of_the_services_own_numbers_stands_beside_it_if_one_is_configured():
    image = f"host/collector@sha256:{'b' * 64}"
    recorder, _ = run("staging", EVERYTHING | {"alerts": {"collector": image}})
    served, collector = service(recorder)["template"]["containers"]
    assert "ports" in served
    assert (collector["image"], collector["dependsOns"]) == (image, ["loan-decisions"])


def test_the_training_job_has_an_account_of_its_own_and_the_releases_image(staging):
    (job,) = staging[0].of("Job").values()
    task = job["template"]["template"]
    assert task["containers"][0]["image"] == IMAGE
    assert task["serviceAccount"].startswith("loan-decisions-trainer@")


def test_the_training_data_is_read_from_its_bucket_by_the_job_alone():
    recorder, _ = run("test", EVERYTHING | {"training": {"bucket": "shipway-data"}})
    (grant,) = recorder.of("BucketIAMMember").values()
    assert (grant["bucket"], grant["role"]) == ("shipway-data", "roles/storage.objectViewer")
    (job,) = recorder.of("Job").values()
    assert {"name": "data", "gcs": {"bucket": "shipway-data", "readOnly": True}} in job["template"][
        "template"
    ]["volumes"]


def test_the_budget_is_for_the_environments_project(staging):
    (budget,) = staging[0].of("Budget").values()
    assert budget["budgetFilter"] == {"projects": ["projects/123456789012"]}
    assert budget["amount"]["specifiedAmount"] == {"currencyCode": "EUR", "units": "50"}


def test_without_a_release_the_foundation_is_laid_and_nothing_runs():
    recorder, outputs = run("development")
    assert outputs["service_url"] is None
    assert recorder.of("Repository")
    assert not recorder.of("Job")
    assert not [name for name in recorder.of("Service") if name.endswith("-service")]


def test_production_runs_the_digest_that_acceptance_ran():
    recorder, outputs = run("production", PROTECTED, ACCEPTED)
    assert service(recorder)["template"]["containers"][0]["image"] == IMAGE
    assert outputs["image"] == IMAGE


def test_production_takes_no_other_digest():
    with pytest.raises(pulumi.RunError, match="production takes the digest that acceptance ran"):
        run("production", {"release": RELEASE}, ACCEPTED)


def test_production_waits_for_acceptance_to_have_run_something():
    with pytest.raises(Exception, match="acceptance has run no release yet"):
        run("production", stacks={"organization/shipway/acceptance": {"service_url": None}})


def test_what_is_protected_is_protected_from_pulumi_and_from_cloud_run():
    protection = {"protect": True, "retain": True}
    recorder, _ = run("production", {"protection": protection}, ACCEPTED)
    request = recorder.requests["loan-decisions", "shipway:infra:MlService"]
    assert (request.protect, request.retainOnDelete) == (True, True)
    assert service(recorder)["deletionProtection"] is True


def test_a_service_that_was_called_otherwise_is_known_by_its_former_name():
    recorder, _ = run("staging", {"release": RELEASE, "formerly": ["loans"]})
    # What is inside a component is renamed with it, by the engine.
    for name, kind in (("loan-decisions", "MlService"), ("loan-decisions-alerts", "ServiceAlerts")):
        (alias,) = recorder.requests[name, f"shipway:infra:{kind}"].aliases
        assert alias.spec.name == name.replace("loan-decisions", "loans")


def test_all_environments_register_the_same_things():
    kinds = {}
    for environment in ENVIRONMENTS:
        config = PROTECTED if environment == "production" else {"release": RELEASE}
        recorder, _ = run(environment, config, ACCEPTED)
        kinds[environment] = {key for key in recorder.resources if "StackReference" not in key[1]}
    assert all(found == kinds["staging"] for found in kinds.values())


def test_a_wrong_setting_is_one_line_that_names_its_key():
    with pytest.raises(pulumi.RunError, match=r"shipway:scaling.max is \"many\"\. It may be a whole number"):
        run("staging", {"scaling": {"max": "many"}})


def test_without_a_release_in_the_configuration_the_one_that_runs_goes_on():
    recorder, outputs = run("staging", {}, stacks={"organization/shipway/staging": RELEASE})
    (container,) = service(recorder)["template"]["containers"]
    assert container["image"] == IMAGE
    assert outputs["commit"] == RELEASE["commit"]
