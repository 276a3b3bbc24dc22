"""What a load came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.table import Table

from ops.load.latency import Latencies


@dataclass(slots=True)
class LoadReport:
    """An open-loop load. ``unanswered`` were accepted, but no outcome was seen in time."""

    via: str
    rate: float
    duration_s: float
    wallets: int
    sent: int = 0
    accepted: int = 0
    unanswered: int = 0
    took_s: float = 0.0
    errors: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, int] = field(default_factory=dict)
    latencies: Latencies = field(default_factory=Latencies)

    @property
    def completed(self) -> int:
        """Transfers that moved money."""
        return self.results.get("COMPLETED", 0)

    @property
    def failed(self) -> dict[str, int]:
        """Transfers that did not, by reason."""
        return {reason: count for reason, count in sorted(self.results.items()) if reason != "COMPLETED"}

    @property
    def sound(self) -> bool:
        """Whether everything sent was accepted and answered."""
        return not self.errors and self.unanswered == 0

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object; latencies in milliseconds."""
        return {
            "via": self.via,
            "rate": self.rate,
            "duration_s": self.duration_s,
            "wallets": self.wallets,
            "sent": self.sent,
            "sent_per_s": round(self.sent / self.took_s, 1) if self.took_s else None,
            "accepted": self.accepted,
            "completed": self.completed,
            "failed": self.failed,
            "unanswered": self.unanswered,
            "errors": dict(self.errors),
            "latency_ms": {name: _ms(value) for name, value in self.latencies.percentiles_s().items()}
            | {"max": _ms(self.latencies.max_s)},
        }

    def table(self) -> Table:
        """The report for a terminal."""
        table = Table(title=f"Load through {self.via}", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_row("asked for", f"{self.rate:,.0f}/s for {self.duration_s:g} s")
        table.add_row("sent", f"{self.sent:,}")
        table.add_row("accepted", f"{self.accepted:,}")
        table.add_row("completed", f"{self.completed:,}")
        for reason, count in self.failed.items():
            table.add_row(f"failed, {reason}", f"{count:,}")
        for kind, count in self.errors.items():
            table.add_row(f"[red]error, {kind}[/]", f"{count:,}")
        if self.unanswered:
            table.add_row("[red]without an outcome[/]", f"{self.unanswered:,}")
        for name, value in self.latencies.percentiles_s().items():
            table.add_row(f"end to end, {name}", "-" if value is None else f"{value * 1000:,.1f} ms")
        return table


@dataclass(slots=True)
class FloodReport:
    """Requests sent as fast as it goes, and how fast they became rows, counted in the database.

    Seconds run from the start of sending, and for the other two from the first commit.
    """

    sent: int
    send_s: float
    applied: int
    apply_s: float
    publish_s: float

    @property
    def sound(self) -> bool:
        """Whether all that was sent was applied."""
        return self.sent == self.applied

    @property
    def transfers_per_s(self) -> float:
        """Rows a second, from the first commit to the last."""
        return self.applied / self.apply_s if self.apply_s else 0.0

    @property
    def published_per_s(self) -> float:
        """Outcomes a second, from the first commit to the last outcome on its topic."""
        return self.applied / self.publish_s if self.publish_s else 0.0

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "sent": self.sent,
            "send_s": round(self.send_s, 3),
            "sent_per_s": round(self.sent / self.send_s, 1) if self.send_s else None,
            "applied": self.applied,
            "apply_s": round(self.apply_s, 3),
            "transfers_per_s": round(self.transfers_per_s, 1),
            "publish_s": round(self.publish_s, 3),
            "published_per_s": round(self.published_per_s, 1),
        }

    def table(self) -> Table:
        """The report for a terminal."""
        table = Table(title="As fast as it goes", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        table.add_row("sent", f"{self.sent:,} in {self.send_s:.2f} s")
        table.add_row("applied", f"{self.applied:,} in {self.apply_s:.2f} s")
        table.add_row("transfers/s, committed", f"{self.transfers_per_s:,.0f}")
        table.add_row("transfers/s, outcome published", f"{self.published_per_s:,.0f}")
        return table


def _ms(latency_s: float | None) -> float | None:
    return None if latency_s is None else round(latency_s * 1000, 3)
