"""Our SQL stands in files, one statement each, in a folder ``sql`` beside the module that runs it."""

from pathlib import Path


def read_statement(module_file: str, name: str) -> str:
    """The statement ``sql/NAME.sql`` beside a module, given as its ``__file__``."""
    return (Path(module_file).parent / "sql" / f"{name}.sql").read_text()
