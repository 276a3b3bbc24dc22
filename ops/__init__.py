"""The ``hfts`` command and the embedded stack."""
