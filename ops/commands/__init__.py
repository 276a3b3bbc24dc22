"""One module a command or group of commands.

Every module here has ``register(app: typer.Typer) -> None`` and is found by itself. It imports what is slow to import
inside its functions, so that ``hfts --help`` stays quick.
"""
