"""What a list cannot be asked for."""

from uuid import uuid4

import pytest

from tests.unit.conftest import Api


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("amout[gte]=1", "query"),
        ("metadata=1", "query"),
        ("amount[gte]=-1", "amount[gte]"),
        ("amount[gte]=1e3", "amount[gte]"),
        ("completed_at[gte]=2026-01-02", "completed_at[gte]"),
        ("completed_at[gte]=2026-02-30T00:00:00Z", "completed_at[gte]"),
        ("completed_at[gte]=1767312000", "completed_at[gte]"),
        ("status=PENDING", "status"),
        ("limit=101", "limit"),
        ("starting_after=AAAA", "starting_after"),
        ("ending_before=no%20cursor", "ending_before"),
        ("starting_after=kwCQ&ending_before=kwCQ", "ending_before"),
        ("wallet_id=1", "wallet_id"),
        (f"metadata[{'k' * 41}]=v", "query"),
        ("metadata[k]=%00", "query"),
        ("reference=%00", "reference"),
    ],
)
async def test_what_is_no_filter_is_refused(api: Api, query: str, field: str) -> None:
    answer = await api.client.get(f"/v1/transfers?{query}", headers=api.headers(str(uuid4())))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
