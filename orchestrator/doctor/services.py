"""PostgreSQL, RabbitMQ and Keepers itself: there, of a version that will do, and answering."""

import importlib.util
import re

import asyncpg
from sqlalchemy.engine import make_url

from orchestrator.broker import BrokerError, server_version
from orchestrator.db import head_revision, is_known_revision, plain_dsn
from orchestrator.doctor.checks import Check, Patient, missing, ok, warning
from orchestrator.embedded.client import Client, NotAnswering, Refused
from orchestrator.embedded.postgres import WHEEL
from orchestrator.embedded.rabbitmq import SCRIPTS

ANSWER_SECONDS = 5.0
UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
_LEAST_POSTGRES, _LEAST_PGVECTOR, _LEAST_RABBITMQ = (16,), (0, 7), (3, 10)
_PGVECTOR = """SELECT coalesce(extversion, default_version) FROM pg_available_extensions AS there
LEFT JOIN pg_extension ON extname = there.name WHERE there.name = 'vector'"""


def keepers(patient: Patient) -> Check:
    address = patient.services.get("address")
    if address is None:
        own = patient.settings.database_url is not None and patient.settings.rabbitmq_url is not None
        closed = "No Keepers is open in this home."
        return ok("keepers", closed, "keepers serve" if own else "keepers up")
    if Client(address, patient.services.get("token")).is_ready():
        return ok("keepers", f"Keepers is open at {address}.")
    return warning("keepers", f"Keepers was opened at {address}, and does not answer there.", "keepers up")


def workers(patient: Patient) -> list[Check]:
    """Nothing, while no Keepers is open: then there need be none."""
    if "address" not in patient.services:
        return []
    try:
        stages = Client(patient.services["address"], patient.services.get("token")).stages()
    except (NotAnswering, Refused):
        return []
    troubles = {one["hold"]["cause"] for one in stages if one["hold"] and one["hold"]["key"] == "broker"}
    if troubles:
        return [warning("workers", " ".join(sorted(troubles)), "keepers-worker")]
    return [ok("workers", "No work waits for a worker.")]


async def postgresql(patient: Patient) -> Check:
    url = patient.database_url
    if url is None:
        return _own_postgresql()
    where = _where(url)
    try:
        connection = await asyncpg.connect(plain_dsn(url), timeout=ANSWER_SECONDS)
    except (*UNREACHABLE, ValueError) as exc:
        return _silent(
            "postgresql", f"PostgreSQL does not answer at {where}: {_first_line(exc)}", patient, "DATABASE_URL"
        )
    try:
        return await _seen(connection, where)
    except UNREACHABLE as exc:
        return missing("postgresql", f"PostgreSQL at {where} does not let Keepers look: {_first_line(exc)}")
    finally:
        connection.terminate()


async def _seen(connection: asyncpg.Connection, where: str) -> Check:
    version = await connection.fetchval("SHOW server_version", timeout=ANSWER_SECONDS)
    pgvector = await connection.fetchval(_PGVECTOR, timeout=ANSWER_SECONDS)
    here = f"PostgreSQL {version.split()[0]} at {where}"
    if _numbers(version) < _LEAST_POSTGRES:
        return missing("postgresql", f"{here} is too old: Keepers needs 16 or newer.")
    if pgvector is None:
        return missing("postgresql", f"{here} has no pgvector.", "sudo apt-get install postgresql-18-pgvector")
    if _numbers(pgvector) < _LEAST_PGVECTOR:
        return missing("postgresql", f"{here} has pgvector {pgvector}: Keepers needs 0.7 or newer.")
    return await _schema(connection, f"{here}, with pgvector {pgvector}")


async def _schema(connection: asyncpg.Connection, here: str) -> Check:
    if await connection.fetchval("SELECT to_regclass('alembic_version')", timeout=ANSWER_SECONDS) is None:
        return ok("postgresql", f"{here}. It is empty: the first start makes the tables.")
    revision = await connection.fetchval("SELECT version_num FROM alembic_version", timeout=ANSWER_SECONDS)
    if not is_known_revision(revision):
        return missing(
            "postgresql", f"{here}. The archive is of a newer Keepers: install that one, or restore a backup."
        )
    if revision != head_revision():
        return ok("postgresql", f"{here}. The next start brings the archive to this version, after a backup.")
    return ok("postgresql", f"{here}.")


def _own_postgresql() -> Check:
    if importlib.util.find_spec(WHEEL) is None:
        return missing("postgresql", "PostgreSQL is not installed, and DATABASE_URL names none.", "make setup")
    return ok("postgresql", "Keepers brings its own PostgreSQL, which runs while Keepers is open.")


async def rabbitmq(patient: Patient) -> Check:
    url = patient.rabbitmq_url
    if url is None:
        return _own_rabbitmq()
    where = _where(url)
    try:
        version = await server_version(url)
    except (*BrokerError, ValueError) as exc:
        return _silent("rabbitmq", f"RabbitMQ does not answer at {where}: {_first_line(exc)}", patient, "RABBITMQ_URL")
    if _numbers(version) < _LEAST_RABBITMQ:
        return missing("rabbitmq", f"RabbitMQ {version} at {where} is too old: Keepers needs 3.10 or newer.")
    return ok("rabbitmq", f"RabbitMQ {version} at {where}.")


def _own_rabbitmq() -> Check:
    if any(script.exists() for script in SCRIPTS):
        return ok("rabbitmq", "Keepers brings up a RabbitMQ of its own, which runs while Keepers is open.")
    sentence = "RabbitMQ is not installed, and RABBITMQ_URL names none (on a Mac: brew install rabbitmq)."
    return missing("rabbitmq", sentence, "sudo apt-get install rabbitmq-server")


def _silent(name: str, sentence: str, patient: Patient, setting: str) -> Check:
    """Of a service that the person named the setting may be wrong; of our own, Keepers has ended in disorder."""
    is_named = patient.settings.database_url if setting == "DATABASE_URL" else patient.settings.rabbitmq_url
    if is_named:
        return missing(name, f"{sentence} {setting} names it.")
    return missing(name, sentence, "keepers up")


def _where(url: str) -> str:
    """Host and port, without the password."""
    try:
        parts = make_url(url)
    except Exception:  # SQLAlchemy's, which would show the address
        return "an address that cannot be read"
    return f"{parts.host or 'this machine'}{f':{parts.port}' if parts.port else ''}"


def _first_line(error: BaseException) -> str:
    said = str(error).partition("\n")[0].strip().rstrip(".")
    return f"{said or type(error).__name__}."


def _numbers(version: str) -> tuple[int, ...]:
    """ "3.10.8" as (3, 10, 8); what follows the numbers is left out."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
