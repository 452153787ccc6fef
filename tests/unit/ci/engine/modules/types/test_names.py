"""Names: what an author calls a thing, and what GraphQL and Python's packages call it."""

import pytest

from ci.engine.modules.types import names


@pytest.mark.parametrize(
    ("written", "type_", "field"),
    [
        ("my-module", "MyModule", "myModule"),
        ("my_function", "MyFunction", "myFunction"),
        ("HTTPServer", "HTTPServer", "hTTPServer"),
        ("v2beta", "V2Beta", "v2Beta"),
        ("a.b c", "ABC", "aBC"),
    ],
)
def test_types_are_in_camel_case_and_fields_begin_small(written: str, type_: str, field: str) -> None:
    assert names.camel(written) == type_
    assert names.lower_camel(written) == field


@pytest.mark.parametrize(
    ("type_", "found"),
    [
        ("Post", "Post"),  # the main object
        ("PostMan", "PostMan"),  # has the prefix already
        ("Postman", "PostPostman"),  # only looks as if it had
        ("Card", "PostCard"),
    ],
)
def test_a_type_of_a_module_begins_with_the_modules_name_once(type_: str, found: str) -> None:
    assert names.namespaced(type_, "post", "post") == found


def test_a_module_under_another_name_has_types_of_that_name() -> None:
    assert names.namespaced("Post", "mail", "post") == "Mail"
    assert names.namespaced("PostMan", "mail", "post") == "MailMan"


@pytest.mark.parametrize(("written", "found"), [("ONE", "ONE"), ("two", "TWO"), ("someThing", "SOME_THING")])
def test_members_of_enums_are_in_upper_case(written: str, found: str) -> None:
    assert names.enum_member(written) == found


@pytest.mark.parametrize(
    ("module", "project", "package"),
    [("myModule", "my-module", "my_module"), ("My Module", "my-module", "my_module"), ("x", "x", "x")],
)
def test_a_module_is_looked_for_in_the_package_of_its_name(module: str, project: str, package: str) -> None:
    assert names.project(module) == project
    assert names.package(project) == package
