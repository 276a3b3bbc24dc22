"""The form and the length of a password (NIST SP 800-63B-4 section 3.1.1.2)."""

import unicodedata

PASSWORD_CHARS_MIN = 15
"""What NIST asks for where a password is the only factor."""

PASSWORD_CHARS_MAX = 128
"""At least 64 must be allowed; a bound, so that nobody makes us hash a book."""


def normalise_password(text: str) -> str:
    """The one form in which a password is measured, checked and hashed: NFKC, as NIST advises.

    So a password typed on another keyboard or system is the same one. Nothing is cut off.
    """
    return unicodedata.normalize("NFKC", text)


def check_password_length(text: str) -> str:
    """The normalised password, as it is. Raises ValueError where it is too short or too long.

    Each code point counts as one character.
    """
    if not PASSWORD_CHARS_MIN <= len(text) <= PASSWORD_CHARS_MAX:
        raise ValueError(f"must have {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")
    return text
