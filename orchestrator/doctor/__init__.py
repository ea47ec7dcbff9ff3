"""`keepers doctor`: what is configured, reachable and missing, and the next command to type."""
