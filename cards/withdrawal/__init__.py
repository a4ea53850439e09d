"""Stopping baclofen, or lowering it too far at once."""
