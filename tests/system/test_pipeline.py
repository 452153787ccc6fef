"""The real pipeline on the embedded engine: what a newcomer types, and what they break."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

ROOT = Path(__file__).parents[2]
STAGES = ["lint", "test", "train", "gate", "build", "smoke"]
DELIVERY = ["provision", "publish", "deploy", "verify"]

pytestmark = [pytest.mark.embedded, pytest.mark.network, pytest.mark.slow]


def checkout(folder):
    """What git has of this project, as it is in the working tree, in another folder."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
    return folder


def start(folder, *arguments, **environ):
    return subprocess.Popen(
        [sys.executable, str(folder / "ci/main.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )


def run(folder, *arguments, **environ):
    with start(folder, *arguments, **environ) as process:
        stdout, stderr = process.communicate()
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def report(output):
    return json.loads((output / "report.json").read_text())


def sources(output):
    """Whether each stage's result came from the cache; those that deliver ask the cloud every time."""
    stages = report(output)["stages"]
    return {stage["name"]: stage["cached"] for stage in stages if stage["name"] not in DELIVERY}


def facts(output, name):
    return next(stage["facts"] for stage in report(output)["stages"] if stage["name"] == name)


@pytest.fixture(scope="module", autouse=True)
def cloud(tmp_path_factory):
    """A cloud of this module's own, stopped at its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHIPWAY_CLOUD_STATE", str(tmp_path_factory.mktemp("cloud")))
        patch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path_factory.mktemp('stacks')}")
        yield
        subprocess.run([sys.executable, "-m", "infra.local", "down"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory, cloud):
    """A checkout whose pipeline has run once; its artifacts are in `out`."""
    folder = checkout(tmp_path_factory.mktemp("project"))
    ran = run(folder, "--output", str(folder / "out"))
    assert ran.returncode == 0, ran.stdout + ran.stderr[-4000:]
    return folder


def test_everything_that_was_made_is_in_the_output_folder(project):
    output = project / "out"
    for path in (
        "model/model.skops",
        "model/metrics.json",
        "test/coverage.xml",
        "test/junit.xml",
        "gate.json",
        "image.oci.tar",
        "report.html",
        "report.md",
    ):
        assert (output / path).stat().st_size > 0, path


def test_the_pipeline_ends_with_a_service_that_says_what_it_is(project):
    service = facts(project / "out", "verify")["service"]
    assert service["url"] in (project / "out/report.html").read_text()
    host = urlsplit(service["url"])
    version = httpx.get(f"http://localhost:{host.port}/version", headers={"Host": host.netloc}).json()
    assert version["deployment"]["revision"] == service["revision"]
    image = facts(project / "out", "build")["image"]
    assert service["digest"] == image["digest"] == version["deployment"]["image"].rpartition("@")[2]


def test_a_service_that_was_changed_by_hand_is_made_again_what_it_should_be(project):
    url = facts(project / "out", "deploy")["deployed"]["url"]
    [service] = services()
    assert service["uri"] == url
    service["template"]["containers"][0]["env"] = []
    cloud_api("PATCH", service["name"], service)
    assert cloud_api("GET", service["name"])["template"]["containers"][0].get("env", []) == []
    ran = run(project, "verify", "--output", str(project / "out"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert facts(project / "out", "deploy")["deployed"]["changed"] is True
    ran = run(project, "verify", "--output", str(project / "out"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert facts(project / "out", "deploy")["deployed"]["changed"] is False


def cloud_api(method, path, body=None):
    endpoint = json.loads((Path(os.environ["SHIPWAY_CLOUD_STATE"]) / "endpoint.json").read_text())["endpoint"]
    answer = httpx.request(method, f"{endpoint}/v2/{path}", json=body).raise_for_status().json()
    if method == "PATCH":
        assert cloud_api("POST", f"{answer['name']}:wait", {})["done"]
    return answer


def services():
    return cloud_api("GET", "projects/shipway-staging/locations/europe-west1/services")["services"]


def test_the_image_is_an_unprivileged_labelled_oci_image(project):
    image = facts(project / "out", "build")["image"]
    with tarfile.open(project / "out/image.oci.tar") as archive:

        def read(digest):
            return json.load(archive.extractfile(f"blobs/{digest.replace(':', '/')}"))

        assert json.load(archive.extractfile("oci-layout"))["imageLayoutVersion"] == "1.0.0"
        manifest = read(image["digest"])
        config = read(manifest["config"]["digest"])["config"]
    assert config["User"] == "65532:65532"
    assert config["Labels"]["org.opencontainers.image.title"] == "shipway"
    assert manifest["annotations"]["org.opencontainers.image.title"] == "shipway"
    assert config["Entrypoint"][-1] == "app.serving"
    assert "8080/tcp" in config["ExposedPorts"]
    assert image["bytes"] < 200e6


def test_again_everything_comes_from_the_cache_and_is_left_where_it_is(project, tmp_path):
    output = project / "out"
    before = (output / "image.oci.tar").stat()
    ran = run(project, "--output", str(output))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert sources(output) == dict.fromkeys(STAGES, True)
    assert f"{len(STAGES)} from cache" in ran.stdout
    assert facts(output, "deploy")["deployed"]["changed"] is False
    assert (output / "image.oci.tar").stat() == before


def test_a_changed_line_of_the_service_trains_nothing(project, tmp_path):
    folder = checkout(tmp_path / "changed")
    with open(folder / "app/serving/__init__.py", "a", encoding="utf-8") as file:
        file.write("\n# a changed line\n")
    ran = run(folder, "--skip", "test", "--output", str(folder / "out"))  # the app's tests take a minute
    assert ran.returncode == 0, ran.stdout + ran.stderr[-4000:]
    cached = sources(folder / "out")
    assert {name for name, value in cached.items() if not value} == {"lint", "build", "smoke"}


def test_a_proxy_setting_is_in_no_key_no_image_and_no_report(project):
    output = project / "out"
    ran = run(project, "--output", str(output), NO_PROXY="marker-of-a-secret.example")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert sources(output) == dict.fromkeys(STAGES, True)
    for path in output.rglob("*"):
        if path.is_file():
            assert b"marker-of-a-secret" not in path.read_bytes(), path


def test_a_model_that_is_not_good_enough_fails_the_run_with_a_table_and_builds_nothing(project, tmp_path):
    folder = checkout(tmp_path / "strict")
    file = folder / "pyproject.toml"
    file.write_text(
        file.read_text().replace('"holdout.ece" = { max = 0.06 }', '"holdout.ece" = { max = 0.0001 }')
    )
    ran = run(folder, "smoke", "--output", str(folder / "out"))
    assert ran.returncode == 1
    row = next(line for line in ran.stdout.splitlines() if line.startswith("holdout.ece"))
    assert row.split()[-1] == "MISSED"
    assert "The model misses its threshold for holdout.ece." in ran.stdout
    statuses = {stage["name"]: stage["status"] for stage in report(folder / "out")["stages"]}
    assert statuses == {"train": "passed", "gate": "failed", "build": "cancelled", "smoke": "cancelled"}
    assert not (folder / "out/image.oci.tar").exists()
    assert (folder / "out/model/model.skops").exists()


def test_a_failing_step_is_told_with_its_command_and_lets_the_others_finish(project, tmp_path):
    folder = checkout(tmp_path / "broken")
    (folder / "app/serving/unused.py").write_text('"""Imports for nothing."""\n\nimport os\n')
    ran = run(folder, "lint", "gate")
    assert ran.returncode == 1
    for line in (
        "lint failed. ",
        "/opt/venv/bin/python -m ruff check",
        "F401",
        "run it again by itself: python ci/main.py --only lint",
    ):
        assert line in ran.stdout, ran.stdout
    assert "✓ gate" in ran.stdout


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data.write_bytes(data.read_bytes().replace(b"1", b"2", 1)), "sha256"),
        (lambda data: data.unlink(), "loanapp.csv"),
    ],
    ids=["corrupted", "missing"],
)
def test_bad_data_fails_training_with_one_clear_error(project, tmp_path, damage, message):
    folder = checkout(tmp_path / "data")
    damage(folder / "app/data/loanapp.csv")
    ran = run(folder, "train")
    assert ran.returncode == 1
    assert message in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_an_unreachable_registry_is_the_engines_trouble(project):
    ran = run(project, "--only", "base-image", "--base-image", "127.0.0.1:1/nothing:1")
    assert ran.returncode == 3
    assert "base-image failed. The engine could not do it: " in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_base_image_from_an_archive_is_as_good(project, tmp_path):
    made = run(project, "base-image", "--output", str(tmp_path))
    assert made.returncode == 0, made.stdout + made.stderr
    archive = tmp_path / "base-image.oci.tar"
    ran = run(project, "gate", "--base-image", f"oci-archive:{archive}", "--output", str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stdout + ran.stderr[-4000:]


def test_an_interrupted_run_says_so_leaves_no_process_and_can_be_repeated(project, tmp_path):
    folder = checkout(tmp_path / "interrupted")
    # New to the cache, and slow enough to be interrupted.
    (folder / "app/training/__main__.py").write_text('"""Waits."""\n\nimport time\n\ntime.sleep(600)\n')
    with start(folder, "train", SHIPWAY_MARK="interrupted-here") as process:
        for line in process.stdout:
            if "train" in line and "started" in line:
                break
        time.sleep(2)  # into the step, which says nothing
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert marked("interrupted-here") == []
    assert run(project, "gate").returncode == 0


def marked(word):
    """Processes with that word in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if word.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def test_dagger_run_gives_the_same(project):
    dagger = Path(sys.executable).with_name("dagger")
    ran = subprocess.run(
        [dagger, "run", sys.executable, str(project / "ci/main.py"), "gate"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 from cache" in ran.stdout + ran.stderr
