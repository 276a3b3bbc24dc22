"""How an answer is written."""

from enum import StrEnum


class Format(StrEnum):
    """For people, for spreadsheets, for programs."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
