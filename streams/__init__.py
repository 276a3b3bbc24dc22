"""The Faust apps: record batches in, pure rules, one agent a file."""
