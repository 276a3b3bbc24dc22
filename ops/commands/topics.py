"""``hfts topics``: makes the topics."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("topics")(topics_command)


def topics_command() -> None:
    """Create the topics that are missing; check that the others have the same number of partitions."""
    import asyncio  # noqa: PLC0415 (keeps --help quick, like the imports below)

    from ops.configuration import load_settings  # noqa: PLC0415
    from schemas.topics import EVERY_TOPIC  # noqa: PLC0415
    from sinks.kafka.topics import ensure_topics  # noqa: PLC0415

    created = asyncio.run(ensure_topics(load_settings(), EVERY_TOPIC))
    for name in created:
        print(f"created {name}")
    if not created:
        print("all topics exist")
