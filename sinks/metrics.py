"""The metrics of what data goes through on its way out, each declared once."""

from prometheus_client import Counter, Gauge

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
