import hashlib
import json

import pytest


@pytest.fixture
def records(capsys):
    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return read


def test_each_decision_leaves_one_record_that_names_request_model_and_outcome(
    client, application, records
) -> None:
    answer = client.post(
        "/predict", json={"applications": [application] * 2}, headers={"x-request-id": "case-7"}
    )
    first, second = records()
    expected = answer.json()["predictions"][0]
    assert (first["position"], second["position"]) == (0, 1)
    assert first["event"] == "decision"
    assert first["request_id"] == "case-7" == answer.headers["x-request-id"]
    assert first["model_sha256"] == answer.json()["model_sha256"]
    assert first["decision"] == expected["decision"]
    assert first["probability"] == pytest.approx(expected["probability"], abs=1e-6)


def test_a_record_holds_no_input_value_and_yet_proves_which_application_it_was(
    client, application, records
) -> None:
    application |= {"net_worth": 91827.25, "applicant_income": 73645.5}
    client.post("/predict", json=application)
    (found,) = records()
    assert set(found) == {
        *("event", "time", "request_id", "position", "model_sha256", "input_sha256", "probability"),
        *("confidence", "decision", "reasons", "imputed"),
    }
    text = json.dumps(found)
    assert "91827" not in text
    assert "73645" not in text
    canonical = json.dumps(application, sort_keys=True, separators=(",", ":"))
    assert found["input_sha256"] == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_refused_request_leaves_no_record(client, application, records) -> None:
    client.post("/predict", json={**application, "units": 9})
    assert records() == []


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a\tb", "<script>"])
def test_a_request_id_that_is_not_short_and_plain_is_replaced(client, given) -> None:
    answer = client.get("/healthz", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32
