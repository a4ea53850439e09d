"""Alcohol: as the reason for baclofen, and beside it."""
