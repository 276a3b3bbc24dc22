"""The API's metrics, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("hfts_http_requests", "HTTP requests answered, by route and status.", ["route", "status"])
ACCEPTED = Counter("hfts_http_transfers_accepted", "Requests that Kafka has confirmed, by kind.", ["kind"])
PUBLISH_SECONDS = Histogram(
    "hfts_http_publish_seconds",
    "Time from handing a request to the producer to Kafka's confirmation, in seconds.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
IN_PROGRESS = Gauge("hfts_http_requests_in_progress", "HTTP requests that have come in and wait for their answer.")
HOLD_EXPIRY_LAG = Gauge(
    "hfts_hold_expiry_lag_seconds",
    "How long ago the oldest open hold should have ended, told by the process that has the turn; 0 when there is none.",
)
TURNED_AWAY = Counter(
    "hfts_http_turned_away",
    "Turned away: too much in progress, of all or of one caller, too many connections, or requests of an account.",
    ["bound"],
)
WAITING = Gauge("hfts_http_waiting", "HTTP requests that wait for the outcome of a transfer.")
