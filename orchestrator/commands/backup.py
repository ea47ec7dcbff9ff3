"""`keepers backup` and `keepers restore`: all that nothing else can make again."""

import argparse
from pathlib import Path

from orchestrator.commands.arguments import Commands
from shared.settings import Settings


def add(commands: Commands) -> None:
    backup = commands.add_parser(
        "backup",
        help="write a backup of all that was decided and learned",
        description="Writes the database, your taste and dropped photos into one file, also while Keepers is open."
        " Previews are not in it: they are made again from your originals.",
    )
    backup.add_argument("--to", type=Path, metavar="DIR", help="another folder than the usual one; made if it is new")
    backup.add_argument("--list", action="store_true", help="which backups there are")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser(
        "restore",
        help="put a backup in the place of what is there",
        description="Checks all of a backup and loads it into a new database before anything is touched. What was"
        " there is kept until the next restore. Keepers must be stopped.",
    )
    restore.add_argument("file", type=Path, metavar="FILE")
    restore.add_argument("--dry-run", action="store_true", help="only find out whether it can be restored")
    restore.set_defaults(run=_restore)


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.backups import command

    if options.list:
        command.list_backups(settings)
    else:
        command.back_up(settings, options.to)
    return 0


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    from orchestrator.backups import command

    command.put_back(settings, options.file, is_dry=options.dry_run)
    return 0
