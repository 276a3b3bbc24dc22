import pytest
from pydantic import ValidationError

from schemas.settings import Settings

KEY, OLDER, OLDEST = "k" * 32, "older " * 6, "oldest " * 6


def make(previous: str) -> Settings:
    return Settings(_env_file=None, postgres_password="p", secret_key=KEY, secret_keys_previous=previous)


def test_earlier_keys_are_a_list() -> None:
    assert make(f"{OLDER}, {OLDEST},").previous_secret_keys == [OLDER.strip(), OLDEST.strip()]
    assert Settings(_env_file=None, postgres_password="p", secret_key=KEY).previous_secret_keys == []


@pytest.mark.parametrize("previous", [f"{OLDER},{'short'}", ",".join([OLDER] * 5)])
def test_keys_that_will_not_do(previous: str) -> None:
    with pytest.raises(ValidationError) as caught:
        make(previous)
    (error,) = caught.value.errors()
    assert error["loc"] == ("secret_keys_previous",)
    assert "older" not in str(caught.value)


def test_they_are_not_shown() -> None:
    settings = make(OLDER)
    assert "older" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
