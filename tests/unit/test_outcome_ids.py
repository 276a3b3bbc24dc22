"""Where ids stand in the bytes of outcomes."""

from uuid import uuid4

from told_outcomes import NOW, failed, outcome

from schemas.outcome_ids import DESTINATION_WALLET_ID, SOURCE_WALLET_ID, TRANSFER_ID
from schemas.transfers import TransferRequest, encode_outcome, encode_request


def test_each_stands_at_one_place_in_all_outcomes() -> None:
    for said in (outcome(), failed(reference='"', metadata={"a": "b"})):
        raw = encode_outcome(said)
        assert raw[TRANSFER_ID].decode() == said.transfer_id
        assert raw[SOURCE_WALLET_ID].decode() == said.source_wallet_id
        assert raw[DESTINATION_WALLET_ID].decode() == said.destination_wallet_id


def test_and_in_requests_that_we_encode() -> None:
    request = TransferRequest(
        transfer_id=str(uuid4()),
        source_wallet_id=str(uuid4()),
        destination_wallet_id=str(uuid4()),
        amount="1",
        currency="USD",
        requested_at=NOW,
    )
    raw = encode_request(request)
    assert raw[TRANSFER_ID].decode() == request.transfer_id
    assert raw[SOURCE_WALLET_ID].decode() == request.source_wallet_id
