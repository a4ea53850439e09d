"""The service as operators start it: a process of its own, on a port of this machine."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx


class Service:
    def __init__(self, port: int, pid: int, log: Path, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.pid = pid
        self.tls = tls
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        self._log = log

    def log(self) -> str:
        """All that the process has written, to either stream."""
        return self._log.read_text(encoding="utf-8")


def serving(folder: Path, *arguments: str, **environment: str) -> AbstractContextManager[Service]:
    """``baclofen-cds serve``, until the block ends."""
    return serving_over(None, folder, *arguments, **environment)


@contextlib.contextmanager
def serving_over(tls: ssl.SSLContext | None, folder: Path, *arguments: str, **environment: str) -> Iterator[Service]:
    """The same over TLS: how a client connects that the service lets in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACLOFEN_CDS_")}
    # The tests set it; benchmarks run without them.
    clean["BACLOFEN_CDS_HASH_KEY"] = os.environ.get("BACLOFEN_CDS_HASH_KEY", "for benchmarks only: hash key of nobody")
    log = folder / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603  # this interpreter, our own program
            [sys.executable, "-m", "cds_service", "serve", "--port", str(port), *arguments],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=clean | environment,
        )
        service = Service(port, process.pid, log, tls)
        try:
            _wait(process, service)
            yield service
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], service: Service) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended: {service.log()}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{service.url}/readyz", verify=service.tls or True).status_code == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("the service did not become ready")
