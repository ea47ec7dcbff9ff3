"""Where the web page may listen."""

from sqlalchemy.exc import SQLAlchemyError

from orchestrator.access import service
from orchestrator.access.addresses import is_this_machine
from orchestrator.db import open_engine, open_sessions
from shared.errors import KeepersError
from shared.settings import Settings


class NeedsPassword(KeepersError):
    """Keepers has no password."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Keepers has no password, so it does not listen on {host or 'all interfaces'}, where other machines reach"
            " it. Set one with `keepers password`, or let `keepers up --lan` make one. TRUSTED_NETWORK=1 says that only"
            " this machine, or a proxy that asks for a password itself, reaches the port."
        )


def needs_password(settings: Settings, host: str) -> bool:
    """Whether other machines reach this address, and nothing in the settings guards it."""
    return not (is_this_machine(host) or settings.trusted_network or settings.keepers_password)


async def check(settings: Settings, host: str, database_url: str) -> None:
    """Raises NeedsPassword when other machines reach this address and would be asked for nothing."""
    if needs_password(settings, host) and not await _has_password(database_url):
        raise NeedsPassword(host)


async def _has_password(database_url: str) -> bool:
    engine = open_engine(database_url)
    try:
        async with open_sessions(engine)() as session:
            return await service.has_password(session)
    except (SQLAlchemyError, OSError) as exc:
        raise KeepersError("The database does not answer, so nobody knows whether Keepers has a password.") from exc
    finally:
        await engine.dispose()
