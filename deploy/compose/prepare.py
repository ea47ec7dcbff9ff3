"""`make compose`: says what is missing on this machine, writes .env and what follows from it, starts the containers.

Only Python's own library: nothing is installed yet. `python3 deploy/compose/prepare.py --help`
"""

import argparse
import sys
from pathlib import Path

import engine
import env_file
import folders
import override
from missing import Missing


def main() -> int:
    options = _options()
    try:
        _prepare(options)
    except Missing as missing:
        print(f"make compose: {missing}", file=sys.stderr)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Start Keepers in containers.")
    parser.add_argument("--photos", metavar="DIR", help="the folder of your photographs, for .env")
    parser.add_argument("--port", help="where the page is opened on this machine, for .env")
    parser.add_argument("--only-write", action="store_true", help="write .env and the override, start nothing")
    parser.add_argument("--project", type=Path, default=Path(__file__).resolve().parents[2], help=argparse.SUPPRESS)
    return parser.parse_args()


def _prepare(options: argparse.Namespace) -> None:
    """All of it is looked at before anything is written."""
    project: Path = options.project
    known = env_file.read(project / ".env")
    added = env_file.additions(known, options.photos, options.port)
    env = known | added
    if not options.only_write:
        engine.check_docker()
    libraries = folders.libraries(env)
    writable = folders.writable(env)
    groups = folders.groups(libraries, writable)
    port = env.get("KEEPERS_PORT") or engine.DEFAULT_PORT
    if not options.only_write:
        engine.check_port(project, port)
        engine.check_database(known)
    override.check(project / override.OVERRIDE)
    env_file.write(project / ".env", project / ".env.example", added)
    services = override.override(env, libraries, folders.buckets(env), writable, groups)
    override.write(project / override.OVERRIDE, services)
    if not options.only_write:
        engine.start(project, port)


if __name__ == "__main__":
    sys.exit(main())
