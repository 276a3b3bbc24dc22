"""Which passwords are refused, and why (NIST SP 800-63B-4 section 3.1.1.2).

Length counts, and nothing must be mixed in. Refused is what an attacker tries first: commonly used passwords,
repetitions, sequences, and what follows from the service or the person, also with a few characters around it.

All checks take time in proportion to the length. An estimate such as zxcvbn's own is worth more for each guess it
saves, but some texts of 72 characters keep it busy for seconds; so we use its list of 30,000 common passwords alone.
"""

import re
from collections.abc import Iterable

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from schemas.passwords import check_password_length, normalise_password

SERVICE_WORDS = ("hfts", "transfer", "transfers", "wallet", "wallets")
CHARS_OF_ITS_OWN_MIN = 8
"""What must remain when the words that anyone would guess are taken away."""

_COMMON = frozenset(FREQUENCY_LISTS["passwords"])
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
)
_RUNS = tuple(run * 2 for row in _SEQUENCES for run in (row, row[::-1]))
_PARTS = re.compile(r"([\W\d_]*)(.*?)([\W\d_]*)", re.DOTALL)
"""What surrounds the letters, as in 123password!!!, and what stands between."""

_WORD_CHARS_MIN = 3


def refusal(text: str, about: Iterable[str] = ()) -> str | None:
    """Why this password will not do, as the end of a sentence, or None if it will.

    ``about`` holds what is known of the person, such as the e-mail address.
    """
    text = normalise_password(text)
    try:
        check_password_length(text)
    except ValueError as error:
        return str(error)
    plain = text.casefold()
    piece = _repeated_piece(plain)
    if len(piece) < CHARS_OF_ITS_OWN_MIN:
        return "repeats the same few characters; choose something less regular"
    if _is_sequence(plain):
        return "is a sequence of neighbouring keys or letters; choose another"
    if _is_common(piece):
        return "is a commonly used password, or close to one; choose another"
    if _is_about(plain, _words((*about, *SERVICE_WORDS))):
        return "consists of the e-mail address or the name of this service; choose something else"
    return None


def _is_common(text: str) -> bool:
    """Whether it is on the list, also with a few digits and signs, or with predictable ones, around it."""
    found = _PARTS.fullmatch(text)
    assert found is not None  # noqa: S101 (it fits any text)
    before, core, after = found.groups()
    own_chars = sum(len(part) for part in (before, after) if not _is_predictable(part))
    return text in _COMMON or (core in _COMMON and own_chars < CHARS_OF_ITS_OWN_MIN)


def _is_predictable(part: str) -> bool:
    return part in _COMMON or _is_sequence(part) or len(set(part)) == 1


def _is_about(text: str, words: list[str]) -> bool:
    """Whether hardly anything is left once the words are taken out; letters and digits count."""
    rest = text
    for word in words:
        rest = rest.replace(word, " ")
    return rest != text and len(re.sub(r"[\W_]", "", rest)) < CHARS_OF_ITS_OWN_MIN


def _repeated_piece(text: str) -> str:
    """The shortest piece that, repeated, begins with the text; the text itself if none is shorter than its half."""
    period = _period(text)
    return text[:period] if period * 2 <= len(text) else text


def _period(text: str) -> int:
    """The length of that piece, by the failure function of Knuth, Morris and Pratt."""
    border = [0] * len(text)
    length = 0
    for index in range(1, len(text)):
        while length and text[index] != text[length]:
            length = border[length - 1]
        length += text[index] == text[length]
        border[index] = length
    return len(text) - border[-1]


def _is_sequence(text: str) -> bool:
    return any(text in run for run in _RUNS)


def _words(texts: Iterable[str]) -> list[str]:
    """The texts and their parts, the longest first: of an e-mail address its local part, its domain and their words."""
    found: set[str] = set()
    for text in texts:
        plain = normalise_password(text).casefold()
        found.update({plain, *plain.split("@"), *re.split(r"[\W_]+", plain)})
    return sorted((word for word in found if len(word) >= _WORD_CHARS_MIN), key=len, reverse=True)
