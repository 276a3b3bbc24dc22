"""``hfts dlq``: dead letters."""

from typing import Annotated

import typer

Addresses = Annotated[list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="Letters by address.")]
Causes = Annotated[list[str] | None, typer.Option("--cause", help="Only letters of this cause. May be repeated.")]
Partitions = Annotated[list[int] | None, typer.Option("--partition", min=0, help="Only this one. May be repeated.")]
Since = Annotated[str | None, typer.Option("--since", help="Written then or later: RFC 3339, or 2h for two hours ago.")]
Until = Annotated[str | None, typer.Option("--until", help="Written then or before; in the same forms.")]
All = Annotated[bool, typer.Option("--all", help="Every open letter. Instead of addresses and filters.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Dead letters: records that cannot become a transfer.", no_args_is_help=True)
    group.command("list")(list_command)
    group.command("show")(show_command)
    group.command("replay")(replay_command)
    group.command("discard")(discard_command)
    app.add_typer(group, name="dlq")


def list_command(
    *,
    cause: Causes = None,
    since: Since = None,
    until: Until = None,
    partition: Partitions = None,
    state: Annotated[str, typer.Option("--state", help="open, replayed, discarded or all.")] = "open",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="How many to show. A table shows 100 by default, JSON all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List dead letters in the order of their partitions and offsets, with a summary by cause."""
    from ops.dlq.command import run_list  # noqa: PLC0415 (keeps --help quick, like the imports below)
    from ops.dlq.options import selection_of, states_of  # noqa: PLC0415

    selection = selection_of(causes=cause, partitions=partition, since=since, until=until)
    run_list(selection, states_of(state), limit=limit, as_json=as_json)


def show_command(
    address: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="The letter's address.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="Write the value's bytes, untouched and nothing else.")] = False,
) -> None:
    """Show everything about a letter: why it was set aside, what to do next, its headers, key and bytes."""
    from ops.dlq.command import run_show  # noqa: PLC0415
    from ops.dlq.options import addresses_of  # noqa: PLC0415

    [found] = addresses_of([address])
    run_show(found, raw=raw)


def replay_command(
    addresses: Addresses = None,
    *,
    cause: Causes = None,
    since: Since = None,
    until: Until = None,
    partition: Partitions = None,
    everything: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Put open letters back on the topic of requests: in order, their ids and bytes untouched, each exactly once.

    It may be killed at any point and run again. A request that fails again becomes a new letter.
    """
    from ops.dlq.command import run_replay  # noqa: PLC0415
    from ops.dlq.options import chosen  # noqa: PLC0415

    selection = chosen(addresses, everything=everything, causes=cause, partitions=partition, since=since, until=until)
    run_replay(selection, dry_run=dry_run, yes=yes)


def discard_command(
    addresses: Addresses = None,
    *,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why nobody needs them. Kept with each letter.")
    ] = None,
    cause: Causes = None,
    since: Since = None,
    until: Until = None,
    partition: Partitions = None,
    everything: All = False,
    undo: Annotated[bool, typer.Option("--undo", help="Open discarded letters again.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Mark open letters as discarded: they are listed as open and replayed no more. Their topic is left untouched."""
    from ops.dlq.command import run_discard, run_undo  # noqa: PLC0415
    from ops.dlq.options import chosen, reason_of  # noqa: PLC0415

    selection = chosen(addresses, everything=everything, causes=cause, partitions=partition, since=since, until=until)
    if undo:
        run_undo(selection, dry_run=dry_run, yes=yes)
    else:
        run_discard(selection, reason=reason_of(reason), dry_run=dry_run, yes=yes)
