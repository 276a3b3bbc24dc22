"""A real Kafka and a real PostgreSQL from Python packages alone, and the supervisor that runs the pipeline on them."""
