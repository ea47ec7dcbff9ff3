pytest_plugins = [
    "tests.services",
    "tests.site",
    "tests.stack",
    "tests.archive",
    "tests.connoisseur",
    "tests.shoot",
    "tests.exporting",
    "tests.relaying",
    "tests.watched",
    "tests.deliveries",
]
