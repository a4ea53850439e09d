"""The clinical content for people and for other systems: one Markdown document, one page, FHIR resources.

Everything is written from the loaded catalogue and from the vignettes, run through it: what a reviewer approves here is
what decides there.
"""
