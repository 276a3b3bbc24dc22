"""Deliveries that have failed: which there are, and another go for them."""
