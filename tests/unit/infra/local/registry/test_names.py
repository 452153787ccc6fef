"""Names in a registry, and what a manifest may be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.registry.document import read
from infra.local.registry.errors import RegistryError
from infra.local.registry.names import ImageName, Place, check_reference, location_of, parse_name
from infra.local.registry.records import Records

DIGEST = f"sha256:{'0' * 64}"


def test_an_image_may_have_slashes_in_its_name():
    assert parse_name("p/r/a/b.c/d_e") == ImageName("p", "r", "a/b.c/d_e")


@pytest.mark.parametrize(
    "name", ["", "p", "p/r", "p//r/x", "p/r/../x", "p/r/X", "p/r/x-", "/p/r/x", "p/r/x\n"]
)
def test_a_name_that_cannot_be_is_refused(name):
    with pytest.raises(RegistryError) as refused:
        parse_name(name)
    assert refused.value.code == "NAME_INVALID"


@pytest.mark.parametrize("reference", ["", ".", "a b", "a" * 129, "sha256:x", f"{DIGEST}0", "é"])
def test_a_reference_that_cannot_be_is_refused(reference):
    with pytest.raises(RegistryError):
        check_reference(reference)


def test_a_host_says_its_location():
    assert location_of("europe-west1-docker.pkg.dev") == "europe-west1"
    assert location_of("us-docker.pkg.localhost:5000") == "us"
    assert location_of("localhost:5000") == location_of("docker.pkg.dev") == location_of("") == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(DIGEST),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "schemaVersion",
                        "mediaType",
                        "config",
                        "layers",
                        "manifests",
                        "subject",
                        "digest",
                        "size",
                        "annotations",
                        "x",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_manifest_or_is_refused(value):  # fmt: skip
    try:
        assert read(json.dumps(value).encode()).digest.startswith("sha256:")
    except RegistryError as error:
        assert error.code in {"MANIFEST_INVALID", "DIGEST_INVALID"}  # noqa: PT017  # either is fine


def test_what_two_images_share_goes_with_the_last_of_them(tmp_path):
    records = Records(tmp_path / "registry.db")
    data = {"schemaVersion": 2, "config": {"digest": DIGEST, "size": 2}, "layers": []}
    document = read(json.dumps(data).encode())
    first, second = Place("r1", "x"), Place("r2", "x")
    for place in (first, second):
        records.link(place, DIGEST)
        records.put(place, document, "v1")
    assert records.remove(first, document.digest) == set()
    assert records.tags(first) == []
    assert records.remove_all("r2") == {DIGEST, document.digest}
    records.close()
