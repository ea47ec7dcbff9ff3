"""Originals of rejected photos, set aside into a folder of their own drive, and brought back. The only part of Keepers
that moves originals."""
