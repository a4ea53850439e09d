"""Processor instructions of one small order-sign, by valgrind: the same in every run, whatever else the machine does.

    python -m benchmarks.instructions          needs valgrind; three minutes

Each work runs in a process of its own, for a short and for a long while; the difference is what its calls cost.
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import subprocess
import sys
from shutil import which

from benchmarks import payload
from benchmarks.speed import SMALL, echo, log_to_nowhere, posted, service
from cds_service import settings

SHORT, LONG = 30, 130
"""Calls, after which Python has found the shorter ways through its functions."""
ECHO = "echo"


def main() -> int:
    if len(sys.argv) > 1:
        _work(sys.argv[1], int(sys.argv[2]))
        return 0
    if which("valgrind") is None:
        print("valgrind is not installed", file=sys.stderr)
        return 1
    yardstick = _thousands(ECHO)
    print(f"{ECHO:<24}{yardstick:8.0f} thousand instructions")
    for name in SMALL:
        ours = _thousands(name)
        print(f"order-sign {name:<22}{ours:8.0f}   {ours / yardstick:5.2f}", flush=True)
    return 0


def _thousands(name: str) -> float:
    """Of one call."""
    return (_counted(name, LONG) - _counted(name, SHORT)) / (LONG - SHORT) / 1000


def _counted(name: str, often: int) -> int:
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command = [*tool, sys.executable, "-m", "benchmarks.instructions", name, str(often)]
    ended = subprocess.run(  # noqa: S603  # this module, under a tool
        command, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True
    )
    found = re.search(r"I\s+refs:\s+([\d,]+)", ended.stderr)
    if found is None:
        raise RuntimeError(ended.stderr)
    return int(found[1].replace(",", ""))


def _work(name: str, often: int) -> None:
    loop = asyncio.new_event_loop()
    with log_to_nowhere():
        if name == ECHO:
            work = posted(echo, payload.request(10_000), loop, b"echo")
        else:
            sandbox = settings.load(mode="sandbox", today=payload.NOW.date())
            work = posted(service(sandbox, loop), SMALL[name][0], loop, SMALL[name][1])
        gc.disable()
        for _ in range(often):
            work()


if __name__ == "__main__":
    sys.exit(main())
