"""`python -m ops.contract`: writes the documents into docs/. With --release, also what later versions must keep to."""

import argparse
from pathlib import Path

from ops.contract.files import contract_files

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Write what has changed, and say so."""
    parser = argparse.ArgumentParser(description="Write the documents of the contract into docs/.")
    parser.add_argument("--release", action="store_true", help="also into docs/released, at the release of a version")
    folders = [ROOT / "docs", ROOT / "docs" / "released"][: 1 + parser.parse_args().release]
    for folder in folders:
        for name, text in contract_files().items():
            path = folder / name
            if path.exists() and path.read_text() == text:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
