"""Notifications that go to the log."""

import logging

import pytest
import structlog
from counted import Since

from sinks import log_delivery
from sinks.log_delivery import LogDelivery


def test_what_was_delivered_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    log = structlog.wrap_logger(logging.getLogger("delivery"), wrapper_class=structlog.stdlib.BoundLogger)
    monkeypatch.setattr(log_delivery, "_log", log)
    counted = Since()
    LogDelivery().deliver(0, [b"{}", b"{}"])
    assert counted("hfts_deliveries_total", channel="log", result="delivered") == 2
