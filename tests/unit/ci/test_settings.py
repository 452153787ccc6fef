"""A pyproject.toml that cannot be meant is refused with its file, the line and a remedy."""

from pathlib import Path

import pytest

from ci.settings import BadConfiguration, Bounds, Deploy, parse, read

ROOT = Path(__file__).parents[3]
GOOD = """\
[project]
name = "x"
version = "1"
description = "d"

[tool.shipway.gate]
"cv.auc" = { min = 0.8 }
"ece" = { max = 0.1, min = 0 }

[tool.shipway.deploy]
project = "x-{env}"
region = "europe-west1"
repository = "r"
service = "s"
"""


def test_the_projects_own_file_is_good():
    assert read(ROOT / "pyproject.toml").gate


def test_thresholds_are_read_as_bounds():
    assert parse(GOOD, "p").gate == {"cv.auc": Bounds(min=0.8), "ece": Bounds(min=0, max=0.1)}


def test_names_in_the_cloud_are_read():
    assert parse(GOOD, "p").deploy == Deploy("x-{env}", "europe-west1", "r", "s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace('region = "europe-west1"', "region = 1"), r"^p:10: .* needs a text `region`"),
        (GOOD + 'zone = "b"\n', r"^p:15: .* has no `zone`\. Remove it; there are project, region"),
        (GOOD.replace('name = "x"', "name = x"), r"^p:2: Invalid value.*Correct that line; `git diff p`"),
        (GOOD.replace("{ min = 0.8 }", "0.8"), r"^p:7: .*cv\.auc is not understood\. Write it as"),
        (GOOD.replace("min = 0.8", 'min = "high"'), r"^p:7: .*'high' for cv\.auc is not a number"),
        (GOOD.replace("min = 0.8", "least = 0.8"), r"^p:7: .*cv\.auc is not understood"),
        (GOOD.replace("min = 0 }", "min = 2 }"), r"^p:8: no value of ece is at least 2 and at most 0\.1"),
        (
            GOOD.replace("[tool.shipway.gate]", "[tool.other]"),
            r"^p:14: there is no table \[tool\.shipway\.gate\]",
        ),
        (GOOD.replace('version = "1"\n', ""), r"^p:1: \[project\] needs a text `version`"),
        (GOOD + "[tool", r"^p:15: "),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(text, message):
    with pytest.raises(BadConfiguration, match=message):
        parse(text, "p")


def test_a_missing_file_says_how_to_get_it_back(tmp_path):
    with pytest.raises(BadConfiguration, match=r"missing\. Restore it: git checkout -- pyproject\.toml"):
        read(tmp_path / "pyproject.toml")
