"""What a producer of requests signs with."""

from schemas.settings import Settings
from schemas.signatures import RequestSigner
from schemas.topics import TRANSFERS_REQUESTED
from sinks.errors import SinkError


class SigningKeyMissingError(SinkError):
    """Requests must be signed, and there is no key to do it with."""


def request_signer(settings: Settings) -> RequestSigner | None:
    """A signer where there is a key. Raises SigningKeyMissingError where there must be one."""
    key = settings.request_signing_key
    if key is not None:
        return RequestSigner(key.get_secret_value(), settings.topic_name(TRANSFERS_REQUESTED))
    if settings.require_signed_requests:
        raise SigningKeyMissingError(
            "with REQUIRE_SIGNED_REQUESTS every request would be refused: set REQUEST_SIGNING_KEY (see `hfts keygen`)"
        )
    return None
