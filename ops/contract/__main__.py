"""`python -m ops.contract`: writes the documents into docs/. With --release, also what later versions must keep to."""

import argparse
from pathlib import Path

from ops.contract.files import contract_files

DOCS = Path(__file__).parents[2] / "docs"

RELEASED = ("openapi.json", "asyncapi.yaml", "errors.md")
"""What later versions are compared with."""


def main() -> None:
    """Write what has changed, and say so."""
    parser = argparse.ArgumentParser(description="Write the documents of the contract into docs/.")
    parser.add_argument("--release", action="store_true", help="also into docs/released, at the release of a version")
    is_release = parser.parse_args().release
    for name, text in contract_files().items():
        _write(DOCS / name, text)
        if is_release and name in RELEASED:
            _write(DOCS / "released" / name, text)


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
