"""How long a worker belongs to its group without a sign of life."""

SESSION_TIMEOUT_S = 6.0
"""How long the partitions of a worker that was killed stand still: the least that brokers allow by default."""
