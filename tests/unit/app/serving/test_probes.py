import threading
from dataclasses import replace
from importlib.metadata import version

from app.errors import AppError, ArtifactError


def test_the_service_is_alive_before_and_ready_after_its_model_is_loaded(
    service, artifacts, application
) -> None:
    may_load = threading.Event()

    def load():
        may_load.wait(10)
        return artifacts

    with service(load) as client:
        assert client.get("/healthz").status_code == 200
        for method, path, body in (
            ("GET", "/readyz", None),
            ("GET", "/version", None),
            ("GET", "/dashboard", None),
            ("POST", "/predict", application),
        ):
            answer = client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready"), path
        assert "loan_model_ready 0.0" in client.get("/metrics").text
        may_load.set()
        while client.get("/readyz").status_code != 200:
            pass
        assert client.post("/predict", json=application).status_code == 200
        assert "loan_model_ready 1.0" in client.get("/metrics").text


def test_a_model_that_cannot_be_loaded_is_reported_to_whoever_runs_the_service(service) -> None:
    failed = threading.Event()
    failures: list[AppError] = []

    def load():
        raise ArtifactError("no model")

    def on_failure(error: AppError) -> None:
        failures.append(error)
        failed.set()

    with service(load, on_failure) as client:
        assert failed.wait(10)
        assert client.get("/readyz").status_code == 503
    assert [str(failure) for failure in failures] == ["no model"]


def test_version_names_model_data_code_and_libraries(client, artifacts, monkeypatch) -> None:
    monkeypatch.setenv("SHIPWAY_REVISION", "0123abc")
    found = client.get("/version").json()
    assert found["revision"] == "0123abc"
    assert found["model_sha256"] == artifacts.lineage.model_sha256
    assert found["data_sha256"] == artifacts.lineage.data_sha256
    assert found["training"]["sources_sha256"] == artifacts.lineage.training_sha256
    assert found["training"]["libraries"] == artifacts.lineage.libraries
    assert found["serving"]["libraries"]["scikit-learn"] == version("scikit-learn")


def test_version_names_the_deployment_that_answers(client, monkeypatch) -> None:
    assert client.get("/version").json()["deployment"] == {"service": "", "revision": "", "image": ""}
    image = "registry.test/shipway@sha256:" + "0" * 64
    for name, value in {
        "K_SERVICE": "loans",
        "K_REVISION": "loans-00007-xyz",
        "SHIPWAY_IMAGE": image,
    }.items():
        monkeypatch.setenv(name, value)
    found = client.get("/version").json()["deployment"]
    assert found == {"service": "loans", "revision": "loans-00007-xyz", "image": image}


class Broken:
    """An estimator that fails."""

    def predict_proba(self, _inputs):
        raise RuntimeError("secret detail")


def test_a_failure_of_the_service_itself_is_a_500_of_the_same_shape_and_tells_nothing(
    service, artifacts, application
) -> None:
    broken = replace(artifacts, estimator=Broken())
    with service(lambda: broken) as client:
        while client.get("/readyz").status_code != 200:
            pass
        answer = client.post("/predict", json=application)
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
        assert len(answer.json()["error"]["request_id"]) == 32
        assert "secret detail" not in answer.text
        assert 'loan_requests_total{path="/predict",status="500"} 1.0' in client.get("/metrics").text


def test_the_dashboard_is_a_page_that_may_run_nothing(client) -> None:
    answer = client.get("/dashboard")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_requests_are_counted_by_path_and_strange_paths_together(client) -> None:
    for path in ("/healthz", "/wp-login.php", "/.env"):
        client.get(path)
    text = client.get("/metrics").text
    assert 'loan_requests_total{path="/healthz",status="200"}' in text
    assert 'loan_requests_total{path="other",status="404"}' in text
    assert "wp-login" not in text
