"""The protocol: CDS Hooks, FHIR, HTTP. What is clinical lives in ``cards``."""
