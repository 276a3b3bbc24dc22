"""The metrics of what data goes through on its way out, each declared once."""

from prometheus_client import Counter, Gauge, Histogram

VERSION_CONFLICTS = Counter(
    "hfts_version_conflicts", "Commits refused because another writer had changed a wallet since they were decided."
)
COMMIT_RETRIES = Counter(
    "hfts_commit_retries", "Commits tried again, after a conflict or because PostgreSQL was away or rolled them back."
)
POOL_CONNECTIONS = Gauge(
    "hfts_pool_connections", "Connections to PostgreSQL that are open: idle, or used at this moment.", ["state"]
)
DELIVERIES = Counter(
    "hfts_deliveries", "Notifications given to a channel, by what became of them there.", ["channel", "result"]
)
DELIVERY_TRY_SECONDS = Histogram(
    "hfts_delivery_try_seconds",
    "Time from the beginning of a try to deliver a message to its end, in seconds.",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0),
)
DELIVERY_LAG_SECONDS = Gauge(
    "hfts_delivery_lag_seconds",
    "For how long the oldest delivery that is due has waited for a try, in seconds; looked at every half minute.",
    ["channel"],
)
