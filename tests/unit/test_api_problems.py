from typing import Any
from uuid import uuid4

import pytest

from schemas.codes import ProblemCode
from sinks.errors import DatabaseAwayError, TransientError
from tests.unit.conftest import Api

USER = str(uuid4())


async def test_every_member_of_a_problem(api: Api) -> None:
    answer = await api.client.get("/nowhere", headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:hfts:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": ProblemCode.NOT_FOUND.explanation,
        "code": "not_found",
        "instance": "/nowhere",
        "doc_url": "/v1/errors/not_found",
        "request_id": "abc-1",
    }


@pytest.mark.parametrize("name", ["X-Request-Id", "Request-Id"])
async def test_a_sane_request_id_is_kept(api: Api, name: str) -> None:
    answer = await api.client.get("/healthz", headers={name: "trace:1.2_3"})
    assert answer.headers["x-request-id"] == "trace:1.2_3"


@pytest.mark.parametrize("value", ["", "a b", "x" * 129, "<script>"])
async def test_any_other_is_replaced(api: Api, value: str) -> None:
    answer = await api.client.get("/healthz", headers={"X-Request-Id": value})
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/wallets", "GET, POST"),
        ("PUT", "/v1/transfers", "GET, POST"),
        ("POST", f"/v1/wallets/{USER}", "GET"),
        ("POST", "/healthz", "GET"),
    ],
)
async def test_a_wrong_method_names_the_right_ones(api: Api, method: str, path: str, allowed: str) -> None:
    answer = await api.client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/v1/wallets/", "/v1/me/x", "/v2/users", "/v1/transfers/"])
async def test_unknown_paths(api: Api, path: str) -> None:
    answer = await api.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("fault", [DatabaseAwayError("secret"), TransientError("secret")])
async def test_the_database_is_away(api: Api, fault: Exception) -> None:
    api.users.fault = fault
    answer = await api.client.get("/v1/me", headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert "secret" not in answer.text


async def test_a_fault_of_ours_tells_nothing(api: Api) -> None:
    api.users.fault = RuntimeError("secret")
    answer = await api.client.get("/v1/me", headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


async def test_health_and_readiness(api: Api) -> None:
    assert (await api.client.get("/readyz")).json() == {"status": "ready"}
    api.readiness.faults = [("database", "no answer within 2 s"), ("broker", "no topic")]
    answer = await api.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.json()["errors"] == [
        {"field": "database", "message": "no answer within 2 s"},
        {"field": "broker", "message": "no topic"},
    ]
    api.readiness.faults = [("broker", "no topic")]
    assert (await api.client.get("/readyz")).json()["code"] == "broker_unavailable"
    assert (await api.client.get("/healthz")).json() == {"status": "ok"}


async def test_metrics_count_by_route(api: Api) -> None:
    await api.client.get(f"/v1/transfers/{uuid4()}", headers=api.headers(USER))
    await api.client.get("/nowhere/else")
    text = (await api.client.get("/metrics")).text
    assert 'hfts_http_requests_total{route="/v1/transfers/{transfer_id}",status="404"}' in text
    assert 'hfts_http_requests_total{route="unmatched",status="404"}' in text
    assert "else" not in text


async def test_the_documentation(api: Api) -> None:
    document: dict[str, Any] = (await api.client.get("/openapi.json")).json()
    assert set(document["components"]["schemas"]["Problem"]["required"]) >= {"type", "title", "status", "code"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert (
        document["components"]["securitySchemes"]["PasswordBearer"]["flows"]["password"]["tokenUrl"] == "/v1/auth/token"
    )
    submit = document["paths"]["/v1/transfers"]["post"]
    assert submit["security"] == [{"PasswordBearer": []}, {"ApiKeyBearer": []}]
    assert document["paths"]["/v1/users"]["get"]["security"] == [{"PasswordBearer": []}]
    assert {"202", "400", "401", "404", "413", "422", "503"} <= set(submit["responses"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    shared = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
                    assert list(shared["content"]) == ["application/problem+json"], path
    for page in ("/docs", "/redoc"):
        assert (await api.client.get(page)).status_code == 200


@pytest.mark.parametrize("name", ["X-Request-Id", "Request-Id"])
async def test_an_answer_has_the_id_under_both_names(api: Api, name: str) -> None:
    answer = await api.client.get("/healthz", headers={name: "abc-1"})
    assert (answer.headers["request-id"], answer.headers["x-request-id"]) == ("abc-1", "abc-1")
