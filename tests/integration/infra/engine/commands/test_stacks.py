"""Stacks, accounts and tags: outputs, exit codes and errors as the Pulumi CLI has them (recorded from it)."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("dev")


def test_a_stack_is_made_listed_renamed_and_removed(shell):
    assert shell.result("stack", "init", "two", "--no-select").err == "Created stack 'two'\n"
    listed = shell.run("stack", "ls").splitlines()
    assert listed[0].split() == ["NAME", "LAST", "UPDATE", "RESOURCE", "COUNT"]
    assert [line.split()[0] for line in listed[1:]] == ["dev*", "two"]
    assert shell.run("stack", "rename", "test") == "Renamed dev to test\n"
    assert (shell.project / "Pulumi.test.yaml").exists()
    assert shell.run("stack", "--show-name") == "test\n"
    assert shell.run("stack", "rm", "test", "--yes") == "Stack 'test' has been removed!\n"
    assert not (shell.project / "Pulumi.test.yaml").exists()
    assert json.loads(shell.run("stack", "ls", "--json"))[0]["name"] == "two"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("stack", "select", "nope"), 6, "no stack named 'nope' found"),
        (("config", "--stack", "nope"), 6, "no stack named 'nope' found"),
        (("stack", "init", "dev"), 1, "stack 'organization/shop/dev' already exists"),
        (("stack", "init"), 1, "missing stack name"),
        (("stack", "init", "x", "--secrets-provider", "awskms://key"), 1, "unknown secrets provider type"),
        (("stack", "rm"), 1, "non-interactive mode requires --yes flag"),
        (("stack", "select"), 6, "no stack selected; specify a stack name with --stack"),
        (("stack", "nocmd"), 1, 'unknown command "nocmd" for "pulumi stack"'),
        (("nocmd",), 1, 'unknown command "nocmd" for "pulumi"'),
        (("stack", "rename"), 1, "accepts 1 arg(s), received 0"),
        (("up", "--bogus"), 1, "unknown flag: --bogus"),
        (("up",), 2, "--yes or --skip-preview or --preview-only must be passed in"),
        (("state", "move", "urn:x"), 1, "at least one of --source or --dest must be provided"),
        (("state", "rename", "urn:x"), 1, "Must supply <resource URN> and <new name> unless"),
        (("state", "delete", "nope"), 1, '"nope" is not a valid resource URN'),
        (("plugin", "rm"), 1, "please pass --all if you'd like to remove all plugins"),
        (
            ("plugin", "install", "resource", "aws", "v1.0.0"),
            1,
            "downloads no plugins: put pulumi-",
        ),
        (("convert", "--from", "yaml"), 1, "install the Pulumi CLI (https://www.pulumi.com/docs/install)"),
        (("policy", "ls"), 1, "install the Pulumi CLI"),
        (
            ("new", "https://github.com/pulumi/templates"),
            1,
            "downloads no templates: clone https://github.com",
        ),
        (("new", "aws-python"), 1, "it may be python, cloud-run-python or a folder with a template"),
        (("logs", "--since", "soon"), 1, "'soon' is neither, such as 5s, 2m, 3h"),
        (("logs", "--resource", "x"), 1, "no resource 'x' in the stack"),
        (("watch",), 1, "install the Pulumi CLI"),
        (("login", "file:///no/such/folder"), 1, "no such file or directory"),
        (("login", "https://api.pulumi.com"), 1, "the embedded engine keeps state in files alone"),
        (("stack", "tag", "get", "x"), 1, "stack tag 'x' not found for stack 'dev'"),
        (("stack", "output", "x"), 1, "current stack does not have output property 'x'"),
        (("-C", "/no/such/folder", "stack"), 1, "chdir /no/such/folder: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_right_exit_code(shell, words, code, message):
    assert message in shell.run(*words, code=code)


def test_nothing_is_selected_after_unselect(shell):
    assert shell.result("stack", "unselect").err == "Stack was unselected\n"
    assert "no stack selected; please use `pulumi stack select`" in shell.run("stack", code=1)


def test_outside_of_a_project_a_stack_is_named_in_full(shell, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PWD", str(tmp_path))
    assert "no Pulumi.yaml project file found" in shell.run("stack", "ls", code=1)
    assert "organization/shop/dev" in shell.run("stack", "ls", "--all")
    assert shell.run("stack", "--show-name", "-s", "organization/shop/dev") == "dev\n"


def test_who_one_is_and_where(shell):
    told = json.loads(shell.run("whoami", "--json"))
    assert told["url"] == f"file://{shell.state}"
    assert f"Backend URL: file://{shell.state}\n" in shell.run("whoami", "-v")
    assert shell.run("logout") == f"Logged out of file://{shell.state}\n"
    assert "PULUMI_BACKEND_URL=file://PATH" in shell.run("whoami", code=3)


def test_the_backend_can_be_given_by_a_variable(shell, monkeypatch, tmp_path):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}/other")
    assert len(shell.run("stack", "ls").splitlines()) == 1


def test_tags_are_set_and_taken_away(shell):
    shell.run("stack", "tag", "set", "owner", "me")
    assert json.loads(shell.run("stack", "tag", "ls", "--json")) == {"owner": "me"}
    shell.run("stack", "tag", "rm", "owner")
    assert shell.run("stack", "tag", "ls") == "NAME  VALUE\n"


def test_a_stack_without_updates_says_so(shell):
    assert "Stack has never been updated" in shell.run("stack", "history")
    assert "Current stack resources (0):" in shell.run("stack")


def test_cancel_takes_a_stale_lock_away(shell):
    lock = shell.state / ".pulumi/locks/organization/shop/dev/x.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(
        '{"pid":1,"username":"eve","hostname":"far","timestamp":"2026-01-01T00:00:00Z"}', encoding="utf-8"
    )
    refused = shell.run("up", "--yes", code=1)
    assert "the stack is currently locked by 1 lock(s)" in refused
    assert "created by eve@far (pid 1) at 2026-01-01T00:00:00Z" in refused
    assert shell.run("cancel") == "The currently running update for 'dev' has been canceled!\n"
    assert not lock.exists()


def test_a_half_written_checkpoint_is_told_with_a_remedy(shell):
    shell.checkpoint().write_text('{"version":3,"checkp', encoding="utf-8")
    told = shell.run("stack", code=1)
    assert "half written or changed by hand" in told
    assert "dev.json.bak" in told


def test_the_passphrase_can_be_changed(shell, monkeypatch):
    import io
    import sys

    shell.run("config", "set", "--secret", "key", "value")
    monkeypatch.setattr(sys, "stdin", io.StringIO("new\n"))
    shell.run("stack", "change-secrets-provider", "passphrase")
    assert "incorrect passphrase" in shell.run("config", "get", "key", code=1)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "new")
    assert shell.run("config", "get", "key") == "value\n"
    assert "awskms" in shell.run("stack", "change-secrets-provider", "awskms://x", code=1)


def test_a_new_project_is_ready_to_be_delivered(shell, tmp_path):
    folder = tmp_path / "fresh"
    shell.run("new", "python", "--dir", str(folder), "--yes", "--config", "a=b")
    assert (folder / "Pulumi.dev.yaml").read_text(encoding="utf-8").endswith("config:\n  fresh:a: b\n")
    assert "is not empty (Pulumi.yaml, __main__.py, requirements.txt); use --force" in shell.run(
        "new", "--dir", str(folder), code=1
    )
    assert "cloud-run-python" in shell.run("new", "--list-templates")


TEMPLATE = """\
name: ${PROJECT}
description: ${DESCRIPTION}
runtime: python
# what is asked for
template:
  description: A shop
  config:
    gcp:project:
      description: The project
    size:
      default: 3
    key:
      default: k
      secret: true
main: src
"""


def test_a_folder_can_be_a_template(shell, tmp_path):
    source, folder = tmp_path / "template", tmp_path / "made"
    (source / "src").mkdir(parents=True)
    (source / "Pulumi.yaml").write_text(TEMPLATE, encoding="utf-8")
    (source / "src/__main__.py").write_text('"""${PROJECT}: ${DESCRIPTION}."""\n', encoding="utf-8")
    words = ("new", str(source), "--dir", str(folder), "--name", "made", "--yes")
    shell.run(*words, "--stack", "test", "--config", "size=4", "--config", "a.b=1", "--config-path")
    assert (folder / "src/__main__.py").read_text(encoding="utf-8") == '"""made: A shop."""\n'
    made = (folder / "Pulumi.yaml").read_text(encoding="utf-8")
    assert made.startswith("name: made\ndescription: A shop\nruntime: python\n")
    assert made.endswith("main: src\n")
    assert "template" not in made
    config = (folder / "Pulumi.test.yaml").read_text(encoding="utf-8")
    assert "  made:key:\n    secure: v1:" in config
    assert "  made:a:\n    b: 1\n" in config
    assert "  made:size: 4\n" in config.replace('"', "")
    assert "gcp:project" not in config


def test_a_template_alone_makes_no_stack(shell, tmp_path):
    folder = tmp_path / "made"
    shell.run("new", "python", "--dir", str(folder), "--generate-only", "--yes")
    assert sorted(file.name for file in folder.iterdir()) == [
        "Pulumi.yaml",
        "__main__.py",
        "requirements.txt",
    ]
    told = shell.run("new", "python", "--dir", str(folder), "-g", "-s", "dev", "--force", code=1)
    assert "cannot use --stack and --generate-only together" in told


def test_plugins_are_listed_and_removed(shell):
    plugins = shell.project.parent / "home/plugins"
    for name in ("resource-aws-v6.1.0", "resource-gcp-v8.0.0", "language-go-v3.0.0"):
        (plugins / name).mkdir(parents=True)
        (plugins / name / "program").write_bytes(b"x" * 1500)
    listed = shell.run("plugin", "ls").splitlines()
    assert listed[0].split() == ["NAME", "KIND", "VERSION", "SIZE", "INSTALLED", "LAST", "USED"]
    assert listed[1].split()[:5] == ["go", "language", "3.0.0", "1.5", "kB"]
    assert listed[-1] == "TOTAL plugin cache size: 4.5 kB"
    assert shell.run("plugin", "rm", "resource", "aws", "--yes") == "removed: resource aws-6.1.0\n"
    assert shell.run("plugin", "rm", "resource", "aws", "--yes") == "no plugins found to uninstall\n"
    assert len(shell.run("plugin", "rm", "--all", "--yes").splitlines()) == 2


def test_a_backend_of_the_old_layout_is_upgraded(shell, monkeypatch, tmp_path):
    old = tmp_path / "old"
    (old / ".pulumi/stacks").mkdir(parents=True)
    root = {"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack"}
    deployment = {"manifest": {"time": "", "magic": "", "version": ""}, "resources": [root]}
    for name, latest in (("dev", deployment), ("empty", None)):
        checkpoint = {"version": 3, "checkpoint": {"stack": name, "latest": latest}}
        (old / f".pulumi/stacks/{name}.json").write_text(json.dumps(checkpoint), encoding="utf-8")
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{old}")
    assert "which newer versions of Pulumi refuse; `pulumi state upgrade`" in shell.result("stack", "ls").err
    told = shell.result("state", "upgrade", "--yes").err
    assert 'warning: Skipping stack "empty": no project name found\n' in told
    assert told.endswith("Upgraded 1 stack(s) to project mode\n")
    assert (old / ".pulumi/stacks/shop/dev.json").exists()
    assert shell.run("stack", "ls").splitlines()[1].split()[0] == "dev"


def test_what_a_bug_report_needs(shell):
    told = json.loads(shell.run("about", "--json"))
    assert told["currentStack"]["fullyQualifiedName"] == "organization/shop/dev"
    assert told["cliAbout"]["version"].startswith("v3.")
    assert "Current Stack: organization/shop/dev" in shell.run("about")
    assert shell.run("version") == told["cliAbout"]["version"] + "\n"
    assert json.loads(shell.run("plugin", "ls", "--json")) == []
