"""The ledger: applies batches of transfer requests to PostgreSQL, each batch in one transaction."""
