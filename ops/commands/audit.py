"""``hfts audit``: the audit topic."""

import typer

from ops.commands import audit_chain, audit_export, audit_gaps


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="The audit topic.", no_args_is_help=True)
    audit_chain.register(group)
    audit_export.register(group)
    audit_gaps.register(group)
    # A group with a single command would otherwise swallow that command's name.
    group.callback()(_audit)
    app.add_typer(group, name="audit")


def _audit() -> None:
    """The audit topic: one record for each outcome, each sealed by the hash of the one before it."""
