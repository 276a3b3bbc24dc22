"""Checks every invariant of the pipeline over the whole ledger and the topics: `hfts reconcile`."""
