"""Configuration: defaults, errors that name the key, and environments that differ in nothing they may not."""

import json
import shutil
from pathlib import Path

import pytest

from infra.settings import ENVIRONMENTS, Settings, SettingsError, from_config, from_mapping
from infra.settings.__main__ import main

INFRA = Path(__file__).parents[4] / "infra"


class Config(dict):
    """As `pulumi.Config` has it: text, and objects as JSON."""


def test_nothing_configured_is_all_defaults():
    assert from_config(Config()) == Settings()


def test_text_and_json_are_read_as_pulumi_hands_them_over():
    settings = from_config(
        Config(scaling=json.dumps({"max": "7"}), traffic='{"latest": 100}', protection='{"public": "true"}')
    )
    assert (settings.scaling.max, settings.protection.public) == (7, True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"scaling": {"max": 0}},
            r"shipway:scaling.max is 0. It may be a whole number from 1 to 1000 \(default 3\)",
        ),
        ({"scaling": {"max": True}}, "shipway:scaling.max is true"),
        ({"scaling": {"max": 1.5}}, "shipway:scaling.max is 1.5"),
        ({"scaling": {"min": 5, "max": 2}}, "shipway:scaling is .* min not above max"),
        ({"scaling": "many"}, 'shipway:scaling is "many"'),
        ({"scaling": {"most": 2}}, "There is no shipway:scaling.most. It may be one of: min, max"),
        ({"sacling": {}}, "There is no shipway:sacling"),
        ({"traffic": {"latest": 90}}, "shipway:traffic is .* 100 in all"),
        ({"traffic": {"latest": 120, "old": -20}}, "shipway:traffic"),
        ({"protection": {"public": "yes"}}, "shipway:protection.public is .* true or false"),
        ({"release": {"image": "app:latest"}}, "shipway:release.image is .* by digest"),
        (
            {"release": {}},
            "shipway:release.image is missing. .* pulumi config set --path shipway:release.image",
        ),
        ({"name": "Loans!"}, "shipway:name is"),
        ({"github": "nobody"}, "shipway:github is .* OWNER/NAME"),
        ({"budget": {"account": "1"}}, "shipway:budget.account is .*XXXXXX-XXXXXX-XXXXXX"),
        ({"alerts": {"emails": ["nobody"]}}, "shipway:alerts.emails"),
    ],
)
def test_an_error_names_the_key_and_what_it_may_be(values, message):
    with pytest.raises(SettingsError, match=message):
        from_mapping(values)


def test_a_secret_is_not_in_an_error_and_not_in_a_settings_text():
    with pytest.raises(SettingsError) as caught:
        from_mapping({"secrets": {"wrong-name": "hunter2"}})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(from_mapping({"secrets": {"KEY": "hunter2"}}))


def test_the_environments_of_this_project_differ_in_what_they_may_alone(capsys):
    assert main([]) == 0
    table = capsys.readouterr().out
    assert all(name in table.splitlines()[0] for name in ENVIRONMENTS)
    assert "scaling.max" in table


@pytest.fixture
def folder(tmp_path):
    for name in ENVIRONMENTS:
        shutil.copy(INFRA / f"Pulumi.{name}.yaml", tmp_path)
    return tmp_path


def append(folder, environment, text):
    with (folder / f"Pulumi.{environment}.yaml").open("a") as file:
        file.write(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  shipway:container:\n    memory: 2Gi\n", "container.memory"),
        ("  gcp:region: europe-west4\n", "gcp:region"),
        ("  shipway:secrets:\n    KEY:\n      secure: v1:abc:def\n", "secrets"),
    ],
)
def test_an_environment_that_drifts_from_the_others_is_found(folder, capsys, text, key):
    append(folder, "staging", text)
    assert main(["--folder", str(folder)]) == 1
    shown = capsys.readouterr()
    assert f"! {key}" in shown.out
    assert f"environments differ in {key}; they may in" in shown.err


def test_the_release_under_way_and_secret_values_are_no_drift(folder):
    for number, environment in enumerate(ENVIRONMENTS):
        append(folder, environment, f"  shipway:secrets:\n    KEY:\n      secure: v1:{number}\n")
    release = {
        "image": f"host/app@sha256:{'a' * 64}",
        "commit": "c" * 40,
        "model": "d" * 64,
        "data": "e" * 64,
    }
    append(folder, "test", f"  shipway:release: {json.dumps(release)}\n")
    assert main(["--folder", str(folder)]) == 0


def test_a_stack_file_that_is_missing_or_wrong_is_named(folder, capsys):
    append(folder, "test", "  shipway:name: 7up\n")
    assert main(["--folder", str(folder)]) == 1
    assert "Pulumi.test.yaml: shipway:name is" in capsys.readouterr().err
    (folder / "Pulumi.test.yaml").unlink()
    assert main(["--folder", str(folder)]) == 1
    assert "Pulumi.test.yaml" in capsys.readouterr().err
