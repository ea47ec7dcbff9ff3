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
]
