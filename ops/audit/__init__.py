"""The audit chain as analysts and operators see it: `hfts audit`."""
