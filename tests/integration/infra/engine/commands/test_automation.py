"""The SDK's Automation API, unmodified, on top of the embedded engine."""

import os
import sys
from pathlib import Path

import pulumi
import pytest
from pulumi import automation

ROOT = Path(__file__).parents[5]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Options of a workspace whose ``pulumi`` is ours."""
    launcher = tmp_path / "bin/pulumi"
    launcher.parent.mkdir()
    code = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom infra.engine.cli import main\n"
    launcher.write_text(f"#!{sys.executable}\n{code}sys.exit(main())\n", encoding="utf-8")
    launcher.chmod(0o755)
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("PATH", f"{launcher.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("SHIPWAY_PULUMI", "embedded")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "p")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    backend = automation.ProjectBackend(url=f"file://{tmp_path}/state")
    settings = automation.ProjectSettings(name="inline", runtime="python", backend=backend)
    return automation.LocalWorkspaceOptions(project_settings=settings)


def program():
    config = pulumi.Config()
    pulumi.ComponentResource("shop:index:Thing", "thing")
    pulumi.export("name", config.require("name"))
    pulumi.export("secret", config.require_secret("secret"))


@pytest.mark.slow
def test_an_inline_program_is_delivered_watched_and_taken_away(workspace):
    stack = automation.create_or_select_stack("dev", project_name="inline", program=program, opts=workspace)
    stack.set_all_config({
        "name": automation.ConfigValue("x"),
        "secret": automation.ConfigValue("hush", secret=True),
    })  # fmt: skip
    assert stack.preview().change_summary == {"create": 2}
    seen = []
    made = stack.up(on_event=seen.append)
    assert made.summary.resource_changes == {"create": 2}
    assert (made.outputs["name"].value, made.outputs["secret"].value) == ("x", "hush")
    assert made.outputs["secret"].secret
    assert [event for event in seen if event.res_outputs_event]
    assert seen[-2].summary_event.resource_changes == {"create": 2}
    assert [update.kind for update in stack.history()] == ["update"]
    assert stack.destroy().summary.result == "succeeded"
    stack.workspace.remove_stack("dev")
    assert stack.workspace.list_stacks() == []


def test_its_errors_are_told_apart(workspace):
    def broken():
        raise RuntimeError("oh no")

    stack = automation.create_stack("dev", project_name="inline", program=broken, opts=workspace)
    with pytest.raises(automation.InlineSourceRuntimeError, match="oh no"):
        stack.up()
    with pytest.raises(automation.StackAlreadyExistsError):
        automation.create_stack("dev", project_name="inline", program=broken, opts=workspace)
    with pytest.raises(automation.StackNotFoundError):
        automation.select_stack("none", project_name="inline", program=broken, opts=workspace)
