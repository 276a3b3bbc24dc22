"""Users, wallets and transfers as the HTTP API reads and writes them in PostgreSQL."""
