"""Figures, side by side with a baseline, from one run on one machine."""
