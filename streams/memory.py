"""Memory settings for a process that makes objects by the ten thousand a batch and drops them all again."""

import ctypes
import gc

GC_OBJECTS = 100_000
"""Objects made and not dropped between two collections of the youngest generation."""

KEPT_BYTES = 64 * 1024 * 1024
"""Freed memory kept for the next batch. A page given back costs a fault when it comes again, microseconds on a
virtual machine: as much as all else that is done with a record."""

# glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_THRESHOLD = -3


def suit_batches() -> None:
    """Look for cycles rarely, and keep freed memory. Call it once, when everything is imported.

    Records and rows hold no cycles: reference counts free them. With Python's default, a collection every 700
    objects, a worker spent a quarter of its time looking for cycles among them.
    """
    gc.freeze()
    gc.set_threshold(GC_OBJECTS, 20, 50)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc only
        mallopt(_M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        mallopt(_M_TOP_PAD, KEPT_BYTES // 4)
        mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES // 4)
