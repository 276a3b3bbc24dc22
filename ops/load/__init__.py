"""Sends transfers at a fixed rate, or as fast as it goes, and measures what becomes of them: `hfts load`."""
