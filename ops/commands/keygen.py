"""``hfts keygen``: keys for signed requests and for checkpoints of the audit."""

from typing import Annotated

import typer

from ops.errors import CommandError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("keygen")(keygen_command)


def keygen_command(
    name: Annotated[str, typer.Argument(help="What the key is called, such as api-1.")],
    *,
    audit: Annotated[bool, typer.Option("--audit", help="For checkpoints of the audit.")] = False,
) -> None:
    """Make a pair of keys for signed requests and print it as lines for .env. It is not kept anywhere."""
    from schemas.signatures import new_keys  # noqa: PLC0415 (keeps --help quick, like the import below)
    from schemas.signing_keys import KeyFormatError  # noqa: PLC0415

    try:
        signing, verifying = new_keys(name)
    except KeyFormatError as error:
        raise CommandError(str(error)) from None
    if audit:
        print(f"# Secret, for hfts worker --agents audit alone.\nAUDIT_SIGNING_KEY={signing}")
        print(f"# For whoever verifies, before the keys they have and a comma.\nAUDIT_VERIFY_KEYS={verifying}")
        return
    print(f"# Secret, for whoever signs with it.\nREQUEST_SIGNING_KEY={signing}")
    print(f"# For the workers, after the keys they have and a comma.\nREQUEST_VERIFY_KEYS={verifying}")
