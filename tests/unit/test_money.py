import pytest

from schemas.money import UNITS_MAX, format_units, parse_amount


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("1", 10_000),
        ("12.5", 125_000),
        ("12.5000", 125_000),
        ("0.0001", 1),
        ("99999999999999.9999", UNITS_MAX),
    ],
)
def test_amounts_are_read_exactly(text: str, units: int) -> None:
    assert parse_amount(text) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0.0000",
        "-1",
        "+1",
        "1e3",
        "NaN",
        "Infinity",
        "1.",
        ".5",
        "01",
        "1.00001",
        "100000000000000",
        " 1",
        "1 ",
        "1,5",
        "1_000",
        "\u0663",
        "\uff11",
        "1\n",
        "0x10",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount must be"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("units", "text"), [(0, "0.0000"), (1, "0.0001"), (125_000, "12.5000"), (-125_000, "-12.5000"), (-1, "-0.0001")]
)
def test_balances_have_four_digits_after_the_point(units: int, text: str) -> None:
    assert format_units(units) == text
