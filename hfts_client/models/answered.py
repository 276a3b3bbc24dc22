"""What all answers have in common."""

from typing import TypeAlias
from uuid import UUID

import msgspec

Id: TypeAlias = UUID | str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Something the API has answered with. ``request_id`` is that of the request, to be found in the API's logs."""

    request_id: str | None = None
