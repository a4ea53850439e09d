"""``python -m benchmarks.soak [--seconds 600] [--rate 15] [--failing 0.2] [--seed 1]``"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from benchmarks.soak.run import Plan, soak


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    options.add_argument("--seconds", type=float, default=Plan.seconds)
    options.add_argument("--rate", type=float, default=Plan.rate, help="calls a second")
    options.add_argument(
        "--failing", type=float, default=Plan.failing, help="share of the FHIR server's answers, 0 to 1"
    )
    options.add_argument("--seed", type=int, default=Plan.seed)
    given = options.parse_args()
    report = soak(Plan(given.seconds, given.rate, given.failing, given.seed), partial(print, flush=True))
    print(f"\n{report.table()}\n\n{report.examples()}")
    problems = [*report.wrong(), *report.too_slow()]
    print("\n".join(f"FAILED: {problem}" for problem in problems) or "as it has to be")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
