"""The option that names a stack's folder."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="The stack's folder.  [default: one under the user's data folder]"),
]
