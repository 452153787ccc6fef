"""Pulumi.<stack>.yaml: what is changed is changed, and the rest stays to the letter."""

from dataclasses import replace

import pytest

from infra.engine.project import stackfile, workspace
from infra.engine.project.errors import NoProjectError, ProjectError

PROJECT = """\
name: shop
runtime: python
config:
  shop:size:
    type: integer
    default: 3
  shop:names:
    type: array
    items: {type: string}
  region: north
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    return workspace.load(tmp_path / "Pulumi.yaml")


def save(tmp_path, before, **config):
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(before, encoding="utf-8")
    file = stackfile.load(path, "shop")
    stackfile.save(replace(file, config={**file.config, **config}), "shop")
    return path.read_text(encoding="utf-8")


def test_comments_and_order_stay(tmp_path):
    before = "# why\nconfig:\n  shop:b: 'x'  # odd\n  shop:a: y\nother: [1]\n"
    assert save(tmp_path, before, **{"shop:c": "z"}) == before.replace(
        "shop:a: y\n", "shop:a: y\n  shop:c: z\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4", '"4"'),
        ("true", '"true"'),
        ("n", '"n"'),
        ("", '""'),
        ("plain text", "plain text"),
        (True, "true"),
        ({"b": [1]}, "\n    b:\n      - 1"),
        ({"secure": "v1:x"}, "\n    secure: v1:x"),
        ("a\nb", "|-\n    a\n    b"),
    ],
)
def test_values_are_written_as_the_real_cli_writes_them(tmp_path, value, text):
    """Recorded from `pulumi config set` of the Pulumi CLI."""
    written = save(tmp_path, "", **{"shop:k": value})
    assert written == f"config:\n  shop:k: {text}\n".replace(": \n", ":\n")


def test_the_salt_comes_first(tmp_path):
    path = tmp_path / "Pulumi.dev.yaml"
    file = stackfile.StackFile(path, {"shop:a": "b"}, "v1:salt")
    stackfile.save(file, "shop")
    assert path.read_text(encoding="utf-8") == "encryptionsalt: v1:salt\nconfig:\n  shop:a: b\n"
    assert stackfile.load(path, "shop") == file


def test_a_stack_has_what_the_project_gives_every_stack(project):
    config = stackfile.effective(project, "dev", stackfile.StackFile(project.root, {"shop:names": ["a"]}))
    assert config == {"shop:names": ["a"], "shop:size": 3, "shop:region": "north"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "Stack 'dev' is missing configuration value 'names'"),
        ({"shop:names": ["a"], "shop:size": "x"}, "configuration key 'size' must be of type 'integer'"),
        ({"shop:names": [{}]}, "configuration key 'names' must be array of type 'string'"),
    ],
)
def test_a_value_of_another_type_is_told_by_its_key(project, config, message):
    with pytest.raises(ProjectError, match=message):
        stackfile.effective(project, "dev", stackfile.StackFile(project.root, config))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runtime: python", "missing a 'name' attribute"),
        ("name: a", "missing a 'runtime' attribute"),
        ("name: [", "could not read"),
        ("- a", "expected project to be an object"),
        (
            "name: a\nruntime: python\nconfig:\n  k: {type: number}",
            "may be array, boolean, integer, object, string",
        ),
    ],
)
def test_a_project_file_that_is_none_is_told_what_it_lacks(tmp_path, text, message):
    (tmp_path / "Pulumi.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match=message):
        workspace.load(tmp_path / "Pulumi.yaml")


def test_a_project_is_found_from_below(project):
    (project.root / "a/b").mkdir(parents=True)
    assert workspace.find(project.root / "a/b") == project.file
    with pytest.raises(NoProjectError, match="use `pulumi new`"):
        workspace.find(project.root.parent)
