"""Runs the whole pipeline under load, breaks it in every way we can, and proves that nothing was lost or doubled."""
