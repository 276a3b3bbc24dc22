"""``hfts audit verify``, ``checkpoint``, ``prove`` and ``key``: what was signed of the audit topic."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("verify")(verify_command)
    group.command("checkpoint")(checkpoint_command)
    group.command("prove")(prove_command)
    group.command("key")(key_command)


def verify_command(
    *,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that was kept elsewhere, to compare with; may be given again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check the whole audit topic, hashes and checkpoints; exit 1 and name the first bad record of a partition."""
    from rich.console import Console  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.audit.newest import kept_checkpoint  # noqa: PLC0415
    from ops.audit.table import print_audit  # noqa: PLC0415
    from ops.audit.verify import verify_audit  # noqa: PLC0415
    from ops.bulk_reading import run_bulk_reading  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    kept = [kept_checkpoint(settings, file) for file in checkpoint or ()]
    with explained(settings), reading_progress() as progress:
        report = run_bulk_reading(verify_audit(settings, progress, kept=kept))
    if as_json:
        print(_json_text(report.as_json()))
    else:
        print_audit(Console(), report)
    raise typer.Exit(0 if report.sound else 1)


def checkpoint_command(
    *,
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead.")] = None,
) -> None:
    """Print the newest checkpoint, to be kept where nobody who can write to the brokers can change it."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.audit.newest import newest_checkpoint  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.errors import CommandError  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415
    from schemas.checkpoints import encode_checkpoint  # noqa: PLC0415
    from schemas.codes import CliCode  # noqa: PLC0415

    settings = load_settings()
    with explained(settings):
        found = asyncio.run(newest_checkpoint(settings))
    if found is None:
        raise CommandError("no checkpoint has been signed yet", CliCode.AUDIT_NOT_SIGNED)
    _put(encode_checkpoint(found).decode(), out)


def prove_command(
    transfer_id: Annotated[UUID, typer.Argument(help="The transfer.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead.")] = None,
) -> None:
    """Print a proof of a transfer's outcome, as JSON, that anybody can check with examples/check_proof.py."""
    from ops.audit.prove import prove  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from ops.bulk_reading import run_bulk_reading  # noqa: PLC0415
    from ops.configuration import load_settings  # noqa: PLC0415
    from ops.reading_progress import reading_progress  # noqa: PLC0415
    from ops.server_errors import explained  # noqa: PLC0415

    settings = load_settings()
    with explained(settings), reading_progress() as progress:
        proof = run_bulk_reading(prove(settings, transfer_id, progress))
    _put(_json_text(proof), out)


def key_command() -> None:
    """Print the public keys whose checkpoints are believed: our own first, as NAME=KEY."""
    from ops.configuration import load_settings  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from schemas.signing_keys import format_key  # noqa: PLC0415
    from sinks.audit_keys import trusted_keys  # noqa: PLC0415

    for raw, name in trusted_keys(load_settings()).items():
        print(format_key(name, raw))


def _json_text(value: object) -> str:
    import orjson  # noqa: PLC0415 (keeps --help quick)

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _put(text: str, out: Path | None) -> None:
    from ops.errors import CommandError  # noqa: PLC0415 (keeps --help quick)

    if out is None:
        print(text)
        return
    try:
        out.write_text(text + "\n")
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from None
