"""Psychiatric history and self-harm, beside baclofen."""
