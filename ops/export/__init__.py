"""The audit topic as Parquet, and as a database for analysts."""
