"""Everything that is measured, in one run: ``make bench-full`` (a quarter of an hour on two cores).

Writes ``benchmarks/RESULTS.md`` and the plots beside it. Ratios come from interleaved rounds; the machine should be
quiet.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.served.goals import Result, against_the_echo, against_the_usual_way, growth

HERE = Path(__file__).parent
LIBRARIES = ("msgspec", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "joserfc", "cryptography", "orjson")
_AXES = {
    "size": ("size of the request, KB", "CPU of the server, ms", True),
    "connections": ("connections at once", "time to the answer, ms", True),
    "medications": ("medicines on the chart", "CPU of the server, ms", True),
    "workers": ("worker processes", "requests a second", False),
    "clients": ("clients configured", "CPU of the server, ms", False),
}


def main() -> int:
    results: list[Result] = []
    for source in (against_the_echo(), against_the_usual_way()):
        for result in source:
            results.append(result)
            print(result.line(), flush=True)
    points: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for plot, line, x, y in growth():
        points[plot][line].append((x, y))
        print(f"{plot:12} {line:20} {x:10.0f} {y:10.3f}", flush=True)
    draw(points)
    (HERE / "RESULTS.md").write_text("\n".join(_page(results, points)) + "\n", encoding="utf-8")
    return int(any(result.verdict == "missed" for result in results))


def draw(points: dict[str, dict[str, list[tuple[float, float]]]]) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "benchmarks"
    figure, axes = plt.subplots(1, len(_AXES), figsize=(4 * len(_AXES), 3.4), layout="constrained")
    for place, (name, (x, y, log)) in zip(axes, _AXES.items(), strict=True):
        for line, pairs in points[name].items():
            place.plot(*zip(*pairs, strict=True), marker="o", label=line)
        place.set(xlabel=x, ylabel=y)
        if log:
            place.set(xscale="log", yscale="log")
        else:
            place.set(ylim=(0, None))
        place.grid(alpha=0.3)
        place.legend(fontsize=7)
    figure.savefig(HERE / "growth.svg", metadata={"Date": None})


def _page(results: Iterable[Result], points: dict[str, dict[str, list[tuple[float, float]]]]) -> Iterator[str]:
    yield "# Results"
    yield ""
    yield f"{date.today():%-d %B %Y}; {_machine()}."  # noqa: DTZ011  # the day where the benchmark runs
    yield ""
    yield "Written by `make bench-full`. An echo: a bare ASGI application that reads JSON and answers a card."
    yield ""
    yield "| goal | what | figure | wanted | |"
    yield "|---|---|---|---|---|"
    yield from (result.line() for result in results)
    yield ""
    yield "## How cost grows"
    yield ""
    yield "![Five plots: cost by size, connections, medications, workers and clients](growth.svg)"
    for name, (x, y, _) in _AXES.items():
        lines = list(points[name])
        yield from ("", f"| {x} | " + " | ".join(f"{line}: {y}" for line in lines) + " |")
        yield "|---" * (len(lines) + 1) + "|"
        for row, (at, _) in enumerate(points[name][lines[0]]):
            yield f"| {at:,.0f} | " + " | ".join(f"{points[name][line][row][1]:.3g}" for line in lines) + " |"


def _machine() -> str:
    cpu = subprocess.run(["/usr/bin/lscpu"], capture_output=True, text=True, check=False).stdout
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("Model name")), "")
    cores = next((line.split(":")[1].strip() for line in cpu.splitlines() if line.startswith("CPU(s)")), "?")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{cores} cores ({model or platform.machine()}), CPython {platform.python_version()}, {libraries}"


if __name__ == "__main__":
    sys.exit(main())
