"""The Faust apps: record batches in, one agent a file."""
