"""One module a command or group of commands.

Every module here has ``register(app: typer.Typer) -> None`` and is found by itself, but for those named after a group,
such as ``audit_gaps``: the group registers them. It imports what is slow to import inside its functions, so that
``hfts --help`` stays quick.
"""
