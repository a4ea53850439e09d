"""Baclofen at 65 and over."""
