"""Names of images mean what they mean to Docker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci.engine.images import InvalidReference, parse_reference

D = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("python", "docker.io/library/python:latest"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim"),
        ("docker.io/python:3", "docker.io/library/python:3"),
        ("index.docker.io/library/python:3", "docker.io/library/python:3"),
        ("bitnami/redis", "docker.io/bitnami/redis:latest"),
        ("ghcr.io/owner/app:1", "ghcr.io/owner/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"),
        ("[::1]:5000/app:x", "[::1]:5000/app:x"),
        ("europe-docker.pkg.dev/p/r/i:v1.2.3", "europe-docker.pkg.dev/p/r/i:v1.2.3"),
        (f"python@{D}", f"docker.io/library/python@{D}"),
        (f"python:3@{D}", f"docker.io/library/python:3@{D}"),
        ("a__b/c-d.e:T_1", "docker.io/a__b/c-d.e:T_1"),
        ("Host/app", "Host/app:latest"),
    ],
)
def test_a_short_name_stands_for_a_full_one(text, canonical):
    assert str(parse_reference(text)) == canonical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "repository"),
        ("Python", "must be lowercase"),
        ("python:", "tag"),
        ("python:a b", "tag"),
        (f"python:{'x' * 129}", "tag"),
        ("python@sha256:12", "digest"),
        ("python@", "digest"),
        ("a//b", "repository"),
        ("/a", "repository"),
        ("-a", "repository"),
        ("../etc/passwd", "registry"),
        ("a/../b", "repository"),
        (f"a/{'b' * 300}", "longer"),
        ("host:port/app", "registry"),
        ("https://ghcr.io/a", "registry"),
    ],
)
def test_what_is_no_name_is_refused_with_the_part_that_is_wrong(text, why):
    with pytest.raises(InvalidReference, match=why) as failure:
        parse_reference(text)
    assert text in str(failure.value)


def test_the_familiar_form_is_what_people_type():
    assert parse_reference("docker.io/library/python:3").familiar == "python:3"
    assert parse_reference("docker.io/a/b:3").familiar == "a/b:3"
    assert parse_reference("ghcr.io/a/b:3").familiar == "ghcr.io/a/b:3"


def test_a_digest_counts_more_than_a_tag():
    assert parse_reference(f"a:1@{D}").selector == D
    assert parse_reference("a").at(D).selector == D


part = st.from_regex(r"[a-z0-9]+([._-][a-z0-9]+){0,2}", fullmatch=True)
registry = st.sampled_from(["docker.io/", "localhost:5000/", "r.example/"])
tag = st.one_of(st.just(""), st.from_regex(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True))


@given(registry, st.lists(part, min_size=1, max_size=3), tag)
def test_the_canonical_form_means_the_same(host, parts, suffix):
    reference = parse_reference(host + "/".join(parts) + suffix)
    assert parse_reference(str(reference)) == reference
    assert parse_reference(reference.familiar) == reference


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_refused(text):
    try:
        reference = parse_reference(text)
    except InvalidReference:
        return
    assert parse_reference(str(reference)) == reference
