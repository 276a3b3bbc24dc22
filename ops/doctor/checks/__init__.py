"""The judgements: one module for each area, pure functions from facts to findings."""
