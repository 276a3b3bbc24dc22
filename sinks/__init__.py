"""Where data goes: the PostgreSQL ledger, Kafka topics, people."""
