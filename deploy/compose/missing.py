"""What has to be done before Keepers can start in containers."""


class Missing(Exception):
    """A sentence that ends with the next thing to type."""
