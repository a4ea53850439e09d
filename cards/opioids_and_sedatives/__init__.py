"""Opioids and other medicines that depress the nervous system, beside baclofen."""
