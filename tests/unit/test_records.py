from builders import consumed

from sinks.kafka.records import content_bytes


def test_keys_values_and_headers_are_counted() -> None:
    records = [
        consumed(0, b"value", key=b"key", headers=[("name", b"held"), ("none", None)]),
        consumed(1, None),
        consumed(2, b"", key=b""),
    ]
    assert content_bytes(records) == 5 + 3 + 4 + 4 + 4
    assert content_bytes([]) == 0
