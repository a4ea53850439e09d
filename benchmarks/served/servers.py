"""Server processes: ours as a hospital runs it or in sandbox mode, and the yardsticks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.conformance import trust

PATH = "/cds-services/baclofen-safety"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    port: int
    pid: int
    ready_after: float
    """Seconds from its start to its first answer."""
    head: Callable[[], str]
    """Header lines of the next request beside the usual ones: a token is good for one call."""

    def cpu(self) -> float:
        """Seconds of CPU so far, of the process and its threads and children."""
        return sum(_cpu(pid) for pid in [self.pid, *_children(self.pid)])

    def memory(self, field: str = "VmRSS") -> int:
        """KiB; "VmHWM" for the most that it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [one for child in map(int, found) for one in (child, *_children(child))]
    return []


def _nothing() -> str:
    return ""


@contextmanager
def echo() -> Iterator[Server]:
    """The yardstick: a bare ASGI application that reads JSON and answers one card."""
    with _started("echo", [*_UVICORN, "benchmarks.served.echo:app"], {}) as server:
        yield server


@contextmanager
def usual() -> Iterator[Server]:
    """The usual way: ``benchmarks.served.usual``."""
    with TemporaryDirectory() as folder:
        place = {"USUAL_DATABASE": f"sqlite:///{folder}/usual.sqlite3"}
        with _started("usual", [*_UVICORN, "benchmarks.served.usual:app"], place) as server:
            yield server


@contextmanager
def sandbox(workers: int = 1) -> Iterator[Server]:
    """Ours without authentication; its records go to a temporary database, as always."""
    ours = ["-m", "cds_service", "serve", "--sandbox", "--workers", str(workers)]
    with TemporaryDirectory() as folder, _started("ours", ours, {"BACLOFEN_CDS_STATE_DIR": folder}) as server:
        yield server


@contextmanager
def production(algorithm: str, clients: int = 1, tokens: int = 4000) -> Iterator[Server]:
    """Ours with a signed token on every call and a durable record of it; so many clients are configured."""
    signer = trust.key("RSA" if algorithm == "RS384" else "P-384")
    with TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        keys.write_text(json.dumps({"keys": [trust.public(signer)]}), encoding="utf-8")
        config = Path(folder) / "settings.toml"
        config.write_text(_settings(folder, keys, clients), encoding="utf-8")
        ours = ["-m", "cds_service", "serve", "--config", str(config)]
        key = {"BACLOFEN_CDS_HASH_KEY": "for benchmarks only: the hash key of nobody at all"}
        with _started(f"ours, {algorithm}", ours, key, _tokens(signer, algorithm, tokens)) as server:
            yield server


def _settings(folder: str, keys: Path, clients: int) -> str:
    profiles = "".join(
        f'[clients.site-{number}]\nissuers = ["https://ehr-{number}.example"]\njwks_file = "{keys}"\n'
        for number in range(clients)
    )
    return f'public_base_url = "{trust.BASE}"\nstate_dir = "{folder}"\n{profiles}'


def _tokens(signer: trust.Key, algorithm: str, number: int) -> Callable[[], str]:
    now = int(time.time())
    of = {"iss": "https://ehr-0.example", "iat": now, "exp": now + 3000}
    made = [trust.token(signer, head=trust.header(algorithm), **of) for _ in range(number)]
    each = cycle(made)
    return lambda: f"authorization: Bearer {next(each)}\r\n"


_UVICORN = ["-m", "uvicorn", "--no-access-log", "--log-level", "error", "--port", "PORT"]


@contextmanager
def _started(
    name: str, arguments: list[str], environment: dict[str, str], head: Callable[[], str] = _nothing
) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *(str(port) if one == "PORT" else one for one in arguments)]
    if "cds_service" in command:
        command += ["--port", str(port)]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("BACLOFEN_CDS_")}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=clean | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        address = f"http://127.0.0.1:{port}/readyz"
        while True:
            if process.poll() is not None or time.perf_counter() - began > 60:
                raise RuntimeError(f"{name} did not start: {' '.join(command)}")
            with suppress(httpx.TransportError):
                httpx.get(address, timeout=1)
                break
            time.sleep(0.01)
        yield Server(name, port, process.pid, time.perf_counter() - began, head)
    finally:
        process.terminate()
        process.wait(timeout=30)
