"""Amounts: `Decimal` here, decimal text on the wire, never a float."""

from decimal import Decimal
from typing import TypeAlias

from schemas.money import parse_amount

AmountLike: TypeAlias = Decimal | int | str
"""A str is decimal text as the API has it, such as ``"12.50"``."""


def amount_text(amount: AmountLike) -> str:
    """The amount as the API wants it: above 0, at most 14 digits before and 4 after the point.

    Raises TypeError for a float, whose digits nobody can tell, and for a bool; ValueError for what is no such amount.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
        raise TypeError(f"an amount is a Decimal, an int or decimal text, not a {type(amount).__name__}")
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise ValueError("an amount is a finite number")
    text = amount if isinstance(amount, str) else _plain(Decimal(amount))
    parse_amount(text)
    return text


def _plain(amount: Decimal) -> str:
    """Without an exponent, and without zeros at its end that would make too many digits of it."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
