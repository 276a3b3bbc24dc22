"""Whether what only analysts need is installed."""

from importlib.util import find_spec

from ops.export.errors import PackageMissingError

PACKAGES = ("pyarrow", "duckdb")


def require_packages() -> None:
    """Raise PackageMissingError unless pyarrow and duckdb are there."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise PackageMissingError(f"{' and '.join(missing)} is not installed: pip install 'hfts[analysts]'")
