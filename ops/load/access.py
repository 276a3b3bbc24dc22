"""How to reach the HTTP API as an admin."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiAccess(BaseSettings):
    """Read from API_URL, ADMIN_EMAIL and ADMIN_PASSWORD, as `hfts env` prints them."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    api_url: str = Field(description="Where the API answers, such as http://127.0.0.1:8000.")
    admin_email: str = Field(description="An admin's e-mail.")
    admin_password: SecretStr = Field(description="The admin's password.")
