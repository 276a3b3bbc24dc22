"""Memory settings of a process that makes objects by the thousand and drops them all again."""

import ctypes
import gc

BATCH_OBJECTS = 100_000
"""Objects made and not dropped between two collections of the youngest generation, where batches are worked on."""

REQUEST_OBJECTS = 10_000
"""Likewise where single requests wait for their answers: a collection takes about 2 ms."""

KEPT_BYTES = 64 * 1024 * 1024
"""Freed memory kept for the next batch. A page given back costs a fault when it comes again, microseconds on a
virtual machine: as much as all else that is done with a record."""

# glibc's malloc.h
_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_THRESHOLD = -3


def collect_rarely(objects: int) -> None:
    """Look for cycles each time so many objects were made and not dropped. Call it once, when everything is imported.

    Records, rows and requests hold few cycles: reference counts free them. With Python's default, a collection every
    700 objects, a worker spent a quarter of its time looking for cycles, and an API stood still for 100 ms each second.
    """
    gc.collect()
    gc.freeze()  # modules and classes stay for good
    gc.set_threshold(objects, 20, 50)


def keep_freed_memory() -> None:
    """Hand freed memory back to the system only beyond ``KEPT_BYTES``."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc only
        mallopt(_M_TRIM_THRESHOLD, 2 * KEPT_BYTES)
        mallopt(_M_TOP_PAD, KEPT_BYTES // 4)
        mallopt(_M_MMAP_THRESHOLD, KEPT_BYTES // 4)
