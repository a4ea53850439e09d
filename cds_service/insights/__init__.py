"""Figures for people: what was advised, what became of it, what was missing, how long it took.

rows → ``tally`` (counted, exact) → ``publish`` → ``figures`` (as they may be shown) → text, CSV, JSON, page. Nothing
behind ``publish`` sees a number that may not be shown. Where the rows come from is known to ``queries`` alone.
"""
