"""A sample archive of about 40 photographs, made from real photographs that installed packages ship."""

from orchestrator.samples.making import make_samples

__all__ = ["make_samples"]
