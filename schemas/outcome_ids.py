"""The ids of an outcome, cut out of its bytes: for those who look at every outcome and want one in a thousand.

``encode_outcome`` writes the ids first, in the order of the struct's fields and without blanks, and an id always takes
36 characters. So each stands at one place in all outcomes. A request that we encoded begins in the same way, and so
does a dead letter that was one.
"""

from schemas.transfers import Outcome

_ID_CHARS = 36


def _place(name: str) -> slice:
    begin = 0
    for field in Outcome.__struct_fields__:
        begin += len(f'{{"{field}":"')  # a brace or a comma, the name, and a quotation mark
        if field == name:
            return slice(begin, begin + _ID_CHARS)
        begin += _ID_CHARS + len('"')
    raise AssertionError(name)


TRANSFER_ID = _place("transfer_id")
SOURCE_WALLET_ID = _place("source_wallet_id")
DESTINATION_WALLET_ID = _place("destination_wallet_id")
