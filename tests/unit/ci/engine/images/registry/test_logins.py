"""Logins come from where `docker login` puts them, and challenges are read as registries write them."""

import base64
import json

import pytest

from ci.engine.images.registry import Credentials, Login
from ci.engine.images.registry.auth import challenges
from ci.engine.images.registry.endpoints import endpoint


@pytest.fixture
def config(tmp_path):
    def write(document) -> Credentials:
        path = tmp_path / "config.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return Credentials(config=path)

    return write


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("key", ["r.example:5000", "https://r.example:5000", "https://r.example:5000/"])
def test_a_login_is_found_by_its_host(config, key):
    credentials = config({"auths": {key: {"auth": encoded("me:pass:word")}}})
    assert credentials.login("r.example:5000") == Login("me", "pass:word")
    assert credentials.login("r.example") is None


def test_docker_hub_goes_by_its_old_name(config):
    auths = {"https://index.docker.io/v1/": {"username": "me", "password": "secret"}}
    assert config({"auths": auths}).login("docker.io") == Login("me", "secret")


def test_an_identity_token_is_a_login(config):
    assert config({"auths": {"r": {"identitytoken": "t"}}}).login("r") == Login(identity_token="t")


def test_a_login_given_explicitly_comes_first(tmp_path):
    assert Credentials({"r": Login("a", "b")}, tmp_path / "none").login("r") == Login("a", "b")


@pytest.mark.parametrize(
    "document", ["", "[]", {"auths": {"r": {"auth": "%%"}}}, {"auths": {"r": {}}}, {"auths": None}]
)
def test_an_unusable_configuration_means_no_login(config, document):
    assert config(document).login("r") is None


def test_a_credential_helper_is_asked(config, tmp_path, monkeypatch):
    helper = tmp_path / "docker-credential-test"
    helper.write_text(
        '#!/bin/sh\nread host\necho "{\\"Username\\": \\"me\\", \\"Secret\\": \\"for $host\\"}"\n'
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert config({"credHelpers": {"r.example": "test"}}).login("r.example") == Login("me", "for r.example")
    assert config({"credsStore": "missing"}).login("r.example") is None


def test_a_password_is_not_in_what_is_printed():
    assert "secret" not in repr(Login("me", "secret", "secret"))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        ('Basic realm="x"', {"basic": {"realm": "x"}}),
        (
            'Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"',
            {"bearer": {"realm": "https://a/token", "service": "s", "scope": "repository:a/b:pull,push"}},
        ),
        (
            'Bearer realm="https://a/t",error="x, y", Basic realm=z',
            {"bearer": {"realm": "https://a/t", "error": "x, y"}, "basic": {"realm": "z"}},
        ),
    ],
)
def test_challenges_are_taken_apart(header, found):
    assert challenges(header) == found


@pytest.mark.parametrize(
    ("registry", "url"),
    [
        ("docker.io", "https://registry-1.docker.io"),
        ("ghcr.io", "https://ghcr.io"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.0.0.2", "http://127.0.0.2"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("localhost.example", "https://localhost.example"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_only_this_machine_is_spoken_to_in_the_clear(registry, url):
    assert endpoint(registry) == url
