"""Brings the ledger and the topics back together after one of them was restored or lost: `hfts recover`."""
