"""What is wrong with the settings alone is one clear line, before a process does anything."""

from typing import Any

import pytest
from pydantic import SecretStr

from ingest_api.server import check_settings
from schemas.settings import Settings
from schemas.signatures import new_keys
from sinks.errors import SinkError


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"postgres_sslmode": "verify-full", "postgres_ssl_cafile": "/nowhere.pem"},
            "POSTGRES_SSL_CAFILE: /nowhere.pem cannot be used (No such file or directory)",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_ssl_cafile": __file__},
            f"KAFKA_SSL_CAFILE: {__file__} cannot be used (it holds no PEM certificate that fits)",
        ),
        (
            {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_password": SecretStr("a-secret")},
            "KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        ),
        (
            {"require_signed_requests": True, "request_verify_keys": new_keys("api")[1]},
            "with REQUIRE_SIGNED_REQUESTS every request would be refused: set REQUEST_SIGNING_KEY (see `hfts keygen`)",
        ),
    ],
)
def test_the_api_does_not_start(values: dict[str, Any], line: str) -> None:
    settings = Settings(_env_file=None, postgres_password="p", secret_key="k" * 40, **values)
    with pytest.raises(SinkError) as caught:
        check_settings(settings)
    assert str(caught.value) == line
