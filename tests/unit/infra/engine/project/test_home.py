"""Pulumi's own folder, as the Pulumi CLI keeps it."""

import hashlib
import json
from pathlib import Path

import pytest

from infra.engine.project.errors import ProjectError
from infra.engine.project.home import Home

URL = "file:///state"


@pytest.fixture
def home(tmp_path):
    return Home({"PULUMI_HOME": str(tmp_path / "home")})


def test_a_login_is_kept_as_the_real_cli_keeps_it(home):
    home.log_in(URL)
    assert json.loads((home.folder / "credentials.json").read_bytes()) == {
        "current": URL,
        "accessTokens": {URL: ""},
        "accounts": {URL: {"lastValidatedAt": "0001-01-01T00:00:00Z"}},
    }
    assert home.current_url() == URL
    home.log_out(URL)
    assert home.current_url() is None


def test_each_project_and_backend_has_a_stack_selected(home):
    file = Path("/p/Pulumi.yaml")
    home.select("shop", file, URL, "organization/shop/dev")
    digest = hashlib.sha1(b"/p/Pulumi.yaml", usedforsecurity=False).hexdigest()
    settings = home.folder / f"workspaces/shop-{digest}-workspace.json"
    assert json.loads(settings.read_bytes()) == {"stacks": {URL: "organization/shop/dev"}}
    assert home.selected("shop", file, URL) == "organization/shop/dev"
    assert home.selected("shop", file, "file:///other") is None
    home.select("shop", file, URL, None)
    assert not settings.exists()


def test_a_broken_file_is_named(home):
    home.log_in(URL)
    (home.folder / "credentials.json").write_text("{", encoding="utf-8")
    with pytest.raises(ProjectError, match=r"credentials\.json is no JSON"):
        home.current_url()
