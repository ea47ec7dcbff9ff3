import gc
import os

import pytest

gc.disable()  # what is imported and collected stays: looking through it for garbage is a quarter of the time that takes

# Otherwise every process that a test starts compiles all of Keepers anew.
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.enable()
