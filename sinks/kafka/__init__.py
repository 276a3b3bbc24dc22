"""Kafka: client options, topics, publishing in batches, and the tails that say what has been published."""
