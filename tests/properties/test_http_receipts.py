from hypothesis import given
from hypothesis import strategies as st

from ingest_api.receipts import CONTENT_BYTES, Receipt, ReceiptSigner

SIGNER = ReceiptSigner("a secret of the property tests, long enough")

receipts = st.builds(
    Receipt,
    st.uuids().map(str),
    st.uuids().map(str),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=CONTENT_BYTES, max_size=CONTENT_BYTES),
)


@given(receipt=receipts)
def test_a_receipt_is_read_as_it_was_signed(receipt: Receipt) -> None:
    token = SIGNER.sign(receipt)
    assert SIGNER.read(token) == receipt
    assert token.replace("-", "").replace("_", "").isalnum()
    assert ReceiptSigner("another secret of the property tests").read(token) is None


@given(receipt=receipts, place=st.integers(0, 91), letter=st.sampled_from("ABCxyz019-_"))
def test_an_altered_receipt_is_none(receipt: Receipt, place: int, letter: str) -> None:
    token = SIGNER.sign(receipt)
    altered = token[:place] + letter + token[place + 1 :]
    if altered != token:
        assert SIGNER.read(altered) in (None, receipt)


@given(text=st.text(max_size=200) | st.binary(max_size=100).map(lambda raw: raw.hex()))
def test_any_text_may_be_read(text: str) -> None:
    assert SIGNER.read(text) is None
