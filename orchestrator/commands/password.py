"""`keepers password`: what the page asks for before it opens."""

import argparse
import asyncio

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "password",
        help="set the password of the page, or remove it",
        description="Asks for a new password, or reads it as one line from standard input, and keeps what is needed to"
        " recognise it. Everybody has to log in again, at once.",
    )
    parser.add_argument("--remove", action="store_true", help="ask for none; other machines are then not answered")
    parser.set_defaults(run=_password)


def _password(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.access import command
    from orchestrator.embedded.database import reachable_database

    password = None if options.remove else command.asked()
    with reachable_database(settings) as database_url:
        asyncio.run(command.store(database_url, password))
    if options.remove:
        print("The password is removed. Keepers answers on this machine only.")
    else:
        print("The password is set. Everybody has to log in with it.")
    if settings.keepers_password is not None:
        print("KEEPERS_PASSWORD is set as well and goes before it, wherever Keepers is started with it.")
    return 0
