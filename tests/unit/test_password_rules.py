import pytest

from schemas.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN
from sinks.password_rules import refusal

ABOUT = ("ada.lovelace@engines.example",)


@pytest.mark.parametrize(
    "text",
    [
        "a long password",
        "correct horse battery",
        "        x        y",
        "!!!!!!!!!???????&&",
        "алиса ест яблоки",
        "我喜欢在下雨的星期二吃午饭和喝茶",
        "😀😃😄😁😆😅🤣😂🙂🙃😉😊😇🥰😍",
        "lovelace wrote of looms",
        "9481#@!$cat$#@94857621",
        "x1" * 4 + "q" * 100 + "z7",
    ],
)
def test_a_long_password_of_whatever_characters_will_do(text: str) -> None:
    assert refusal(text, ABOUT) is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "must have 15 to 128 characters"),
        ("x7!Kd93jfk39dj", "must have 15 to 128 characters"),
        ("a\u0301" * 8, "must have 15 to 128 characters"),  # 8 letters with an accent each
        ("correct horse " * 10, "must have 15 to 128 characters"),
        ("\ufdfa" * 8, "must have 15 to 128 characters"),  # one sign, 18 letters in its plain form
        ("passwordpassword", "commonly used"),
        ("Password12345678", "commonly used"),
        ("!!!!Football1984", "commonly used"),
        ("ｐａｓｓｗｏｒｄ１２３４５６７８", "commonly used"),  # noqa: RUF001 (full-width letters are meant)
        ("iloveyouiloveyou", "commonly used"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
        ("abcdabcdabcdabcda", "repeats"),
        ("               ", "repeats"),
        ("abcdefghijklmnop", "sequence"),
        ("zyxwvutsrqponml", "sequence"),
        ("Qwertyuiopasdfgh", "sequence"),
        ("098765432109876", "sequence"),
        ("1qaz2wsx3edc4rfv", "sequence"),
        ("ada.lovelace@engines.example", "e-mail"),
        ("AdaLovelace2030!", "e-mail"),
        ("hfts-transfers-1", "name of this service"),
    ],
)
def test_what_anyone_would_guess_is_refused_with_the_reason(text: str, cause: str) -> None:
    found = refusal(text, ABOUT)
    assert found is not None
    assert cause in found


@pytest.mark.parametrize("length", [PASSWORD_CHARS_MIN, 64, PASSWORD_CHARS_MAX])
def test_lengths_that_are_allowed(length: int) -> None:
    assert refusal(("The quick brown fox jumps over " * 9)[:length]) is None


def test_a_reason_does_not_repeat_the_password() -> None:
    assert "football" not in (refusal("football12345678") or "football").lower()
