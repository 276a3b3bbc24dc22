import pytest

from ops.export import packages
from ops.export.errors import PackageMissingError


def test_what_is_installed_is_not_missed() -> None:
    packages.require_packages()


def test_what_is_missing_is_named_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "duckdb" else object())
    with pytest.raises(PackageMissingError, match=r"^duckdb is not installed: pip install 'hfts\[analysts\]'$"):
        packages.require_packages()
