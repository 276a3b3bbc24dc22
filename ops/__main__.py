"""``python -m ops`` is the ``hfts`` command."""

from ops.cli import main

if __name__ == "__main__":
    main()
