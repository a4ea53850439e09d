"""The service for minutes on end beside a FHIR server that fails: ``make soak``, ``python -m benchmarks.soak``.

charts    the patients of fixtures, as a FHIR server hands them out, page by page
ehr       the FHIR server of ours: a fifth of its answers are late, broken, refused or somebody else's
judge     what the cards have to be, by what was readable
watch     memory, file descriptors, connections and lags while it runs
load      the calls
report    what it comes to
"""
