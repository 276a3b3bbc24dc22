"""How large the body of a request may be."""

BODY_BYTES_MAX = 64 * 1024
"""Of any body, and of a line in a batch."""

BATCH_PATH = "/v1/transfers/batch"
BATCH_BYTES_MAX = 16 * 1024 * 1024
"""Of a batch, which is never held whole: 10,000 lines of 1.6 KB."""

BATCH_LINES_MAX = 10_000
BATCH_TIMEOUT_S = 60.0
"""How long a client may take to send a batch. Until then it need not read the results of what it has sent."""


def body_bytes_max(path: str) -> int:
    """The limit at this path."""
    return BATCH_BYTES_MAX if path == BATCH_PATH else BODY_BYTES_MAX
