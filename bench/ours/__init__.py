"""Our own pipeline as a contender: real worker and API processes, checked by `hfts reconcile` after each run."""
