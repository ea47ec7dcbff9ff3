import os

# Otherwise every process that a test starts compiles all of Keepers anew, for most of a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = [
    "tests.services",
    "tests.site",
    "tests.stack",
    "tests.archive",
    "tests.connoisseur",
    "tests.shoot",
    "tests.relaying",
    "tests.exporting",
    "tests.watched",
    "tests.deliveries",
    "tests.keeping",
    "tests.objects",
    "tests.samples",
]
