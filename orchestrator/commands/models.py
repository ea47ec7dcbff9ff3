"""`keepers models`: the embedding models that are there, and fetching another."""

import argparse

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser("models", help="the embedding models that are there, and fetching another")
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    actions.add_parser("list", help="which models there are")
    fetch = actions.add_parser("fetch", help="download a model")
    fetch.add_argument("name", metavar="NAME")
    parser.set_defaults(run=_models)


def _models(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.embedding import command

    if options.action == "list":
        command.list_models(settings, _open_archive_size(settings))
    else:
        command.fetch(settings, options.name, _open_archive_size(settings))
    return 0


def _open_archive_size(settings: Settings) -> int:
    """How many photos a Keepers that is open has, for estimates; 0 when none is open."""
    from orchestrator.embedded.client import NotAnswering, Refused, client_of
    from orchestrator.embedded.home import Home

    client = client_of(Home(settings.keepers_home))
    try:
        return client.photo_count() if client else 0
    except (NotAnswering, Refused):
        return 0
