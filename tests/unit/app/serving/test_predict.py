import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from httpx import Client

from app.data import INPUTS, Table
from app.serving.artifacts import Artifacts
from app.serving.limits import BODY_LIMIT
from app.serving.messages import BATCH_LIMIT
from app.training.features import POSITION
from app.training.run import plain


def error_of(answer: Any) -> dict[str, Any]:
    """The error of an answer, whose shape is checked."""
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "request_id", "problems"}
    assert body["error"]["request_id"] == answer.headers["x-request-id"]
    return dict(body["error"])


def fields(answer: Any) -> list[str]:
    return [problem["field"] for problem in error_of(answer)["problems"]]


def test_the_known_case_has_the_answer_that_training_wrote_down(client: Client, model_folder: Path) -> None:
    case = json.loads((model_folder / "known_case.json").read_text(encoding="utf-8"))
    answer = client.post(case["path"], json=case["request"]).json()
    assert answer["decision"] == case["expected"]["decision"]
    assert answer["probability"] == pytest.approx(
        case["expected"]["probability"], abs=case["expected"]["tolerance"]
    )


def test_an_answer_has_confidence_reasons_and_what_it_takes_to_trace_it(
    client, application, artifacts
) -> None:
    answer = client.post("/predict", json=application)
    body = answer.json()
    assert answer.status_code == 200
    assert body["confidence"] == max(body["probability"], 1 - body["probability"])
    assert body["model_sha256"] == artifacts.lineage.model_sha256
    assert body["request_id"] == answer.headers["x-request-id"]
    assert 1 <= len(body["reasons"]) <= 3
    assert {reason["input"] for reason in body["reasons"]} <= {item.name for item in INPUTS}


def test_a_batch_is_answered_in_its_order_and_as_each_one_alone(client, application) -> None:
    other = {**application, "public_record": True, "consumer_history": 6, "unverifiable_information": True}
    batch = client.post("/predict", json={"applications": [application, other]}).json()
    alone = [client.post("/predict", json=each).json()["probability"] for each in (application, other)]
    assert [each["probability"] for each in batch["predictions"]] == pytest.approx(alone)
    assert alone[1] < alone[0]


def as_request(row: npt.NDArray[np.float64]) -> dict[str, Any]:
    """A row of the table as a request; one row has a tenth of a credit line."""
    return {
        item.name: None
        if math.isnan(value)
        else plain(item.kind, round(value) if item.kind == "count" else value)
        for item, value in zip(INPUTS, row, strict=True)
    }


def test_every_row_of_the_table_is_a_valid_request_and_only_the_unsure_are_referred(
    client, table: Table, artifacts: Artifacts
) -> None:
    predictions = []
    for start in range(0, 1989, BATCH_LIMIT):
        batch = [as_request(row) for row in table.inputs[start : start + BATCH_LIMIT]]
        answer = client.post("/predict", json={"applications": batch})
        assert answer.status_code == 200, answer.text
        predictions += answer.json()["predictions"]
    assert {each["decision"] for each in predictions} == {"approve", "deny", "refer"}
    threshold = artifacts.metrics.confidence.threshold
    assert all((each["decision"] == "refer") == (each["confidence"] < threshold) for each in predictions)


def test_reasons_of_a_denial_speak_against_and_of_an_approval_for(client, application, table: Table) -> None:
    unverified = table.inputs[:, POSITION["unverifiable_information"]] == 1
    delinquent = table.inputs[:, POSITION["consumer_history"]] == 6
    bad = as_request(table.inputs[unverified & delinquent][0])
    answers = client.post("/predict", json={"applications": [application, bad]}).json()["predictions"]
    assert [each["decision"] for each in answers] == ["approve", "deny"]
    for each, sign in zip(answers, (1, -1), strict=True):
        assert each["reasons"]
        assert all(reason["effect"] * sign > 0 for reason in each["reasons"])
    assert "unverifiable_information" in {reason["input"] for reason in answers[1]["reasons"]}


@pytest.mark.parametrize("left_out", [False, True])
def test_an_optional_input_may_be_null_or_left_out_and_the_answer_says_so(
    client, application, left_out
) -> None:
    optional = [item.name for item in INPUTS if item.optional]
    given = {name: value for name, value in application.items() if name not in optional}
    if not left_out:
        given |= dict.fromkeys(optional)
    assert client.post("/predict", json=given).json()["imputed"] == optional


@pytest.mark.parametrize("item", [item for item in INPUTS if not item.optional], ids=lambda item: item.name)
def test_a_required_input_must_be_there(client, application, item) -> None:
    del application[item.name]
    answer = client.post("/predict", json=application)
    assert (answer.status_code, fields(answer)) == (422, [item.name])


@pytest.mark.parametrize("item", [item for item in INPUTS if item.kind != "flag"], ids=lambda item: item.name)
def test_a_value_beyond_its_bounds_is_refused(client, application, item) -> None:
    step = 1 if item.kind in {"code", "count"} else 0.001
    for value in (item.low - step, item.high + step):
        answer = client.post("/predict", json={**application, item.name: plain(item.kind, value)})
        assert (answer.status_code, fields(answer)) == (422, [item.name])


WRONG_TYPES = [
    ("loan_amount", "128"),
    ("loan_amount", None),
    ("loan_amount", True),
    ("loan_amount", [128]),
    ("loan_amount", {"value": 128}),
    ("units", 1.5),
    ("units", "1"),
    ("units", True),
    ("property_type", "condominium"),
    ("self_employed", 1),
    ("self_employed", "yes"),
    ("self_employed", None),
]


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_refused_not_converted(client, application, name, value) -> None:
    answer = client.post("/predict", json={**application, name: value})
    assert (answer.status_code, fields(answer)[0].split(".")[0]) == (422, name)


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("name", ["loan_amount", "units", "liquid_assets"])
def test_what_is_not_a_finite_number_is_refused(client, application, name, literal) -> None:
    body = json.dumps({**application, name: "HERE"}).replace('"HERE"', literal)
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, fields(answer)) == (422, [name])


@pytest.mark.parametrize("name", ["race", "black", "married", "action", "appinc", "loan_amount "])
def test_an_unknown_field_is_refused(client, application, name) -> None:
    answer = client.post("/predict", json={**application, name: 1})
    assert (answer.status_code, fields(answer)) == (422, [name])


def test_a_problem_in_a_batch_is_named_by_position(client, application) -> None:
    answer = client.post("/predict", json={"applications": [application, {**application, "units": 9}]})
    assert (answer.status_code, fields(answer)) == (422, ["applications.1.units"])


@pytest.mark.parametrize("size", [0, BATCH_LIMIT + 1])
def test_a_batch_has_from_one_to_the_limit(client, application, size) -> None:
    answer = client.post("/predict", json={"applications": [application] * size})
    assert (answer.status_code, fields(answer)) == (422, ["applications"])


def test_a_full_batch_is_answered(client, application) -> None:
    answer = client.post("/predict", json={"applications": [application] * BATCH_LIMIT})
    assert len(answer.json()["predictions"]) == BATCH_LIMIT


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"', b"12"])
def test_a_body_that_is_no_object_is_refused(client, body) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, fields(answer)) == (422, ["body"])


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"loan_amount": ' + b"9" * 5000 + b"}"]
)
def test_a_body_that_is_no_json_is_refused(client, body) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_json")


def test_an_error_never_repeats_a_value_that_was_sent(client, application) -> None:
    answer = client.post("/predict", json={**application, "loan_amount": "very-private"})
    assert "very-private" not in answer.text


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(client, application) -> None:
    text = json.dumps(application)
    headers = {"content-type": "application/json"}
    at, over = text + " " * (BODY_LIMIT - len(text)), text + " " * (BODY_LIMIT + 1 - len(text))
    assert client.post("/predict", content=at, headers=headers).status_code == 200
    answer = client.post("/predict", content=over, headers=headers)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/predict", 405, "method_not_allowed"),
    ],
)
def test_other_errors_have_the_same_shape(client, method, path, status, code) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


def test_the_openapi_document_has_unit_and_bounds_of_every_input(client) -> None:
    properties = client.get("/openapi.json").json()["components"]["schemas"]["Application"]["properties"]
    assert set(properties) == {item.name for item in INPUTS}
    for item in INPUTS:
        assert f"Unit: {item.unit}." in properties[item.name]["description"]
    assert properties["loan_amount"]["minimum"] == 1
    assert properties["loan_amount"]["maximum"] == 10_000
