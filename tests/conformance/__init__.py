"""The conformance gate: one test for each row of the checklist that a program can check, named by the row's id."""
