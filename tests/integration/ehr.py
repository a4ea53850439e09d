"""A real FHIR R4 server (sekmet-fhir) as a process of its own, for as long as the tests need it."""

from __future__ import annotations

import atexit
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]
TOKEN = "static-token-of-the-tests"  # noqa: S105  # made up
SECRET = "secret-of-the-tests"  # noqa: S105  # made up
CLIENT = "baclofen-cds-tests"


_http = httpx.Client(timeout=20, trust_env=False)
atexit.register(_http.close)


@dataclass(frozen=True)
class Ehr:
    """The server, reached as an EHR's own programs reach it."""

    base: str
    token: str = ""

    def request(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return _http.request(method, f"{self.base}/{path}", json=body, headers=headers)

    def read(self, path: str) -> Json:
        response = self.request("GET", path)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    def put(self, resource: Json) -> Json:
        response = self.request("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
        assert response.status_code in (200, 201), response.text
        stored: Json = response.json()
        return stored

    def fill(self, resources: Iterable[Json]) -> None:
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in resources
        ]
        answer = self.request("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
        assert answer.status_code == 200, answer.text
        stored = [entry["response"]["status"] for entry in answer.json()["entry"]]
        assert all(status.startswith("20") for status in stored), stored

    @cache  # noqa: B019  # few servers, few patients
    def _prefetched(self, templates: tuple[tuple[str, str], ...], patient_id: str) -> str:
        filled = {key: text.replace("{{context.patientId}}", patient_id) for key, text in templates}
        return json.dumps({key: self.read(text) for key, text in filled.items()})

    def prefetch(self, templates: dict[str, str], patient_id: str) -> Json:
        """As an EHR fills in the templates of discovery."""
        prefetched: Json = json.loads(self._prefetched(tuple(templates.items()), patient_id))
        return prefetched

    def smart_token(self, scope: str) -> Json:
        """From the server's token endpoint."""
        form = {"grant_type": "client_credentials", "scope": scope}
        root = self.base.removesuffix("/fhir")
        response = httpx.post(f"{root}/auth/token", data=form, auth=(CLIENT, SECRET), timeout=20)
        assert response.status_code == 200, response.text
        token: Json = response.json()
        return token


@contextmanager
def running(folder: Path, *, protected: bool = False) -> Iterator[Ehr]:
    """Open, or for bearers of the static token and of SMART tokens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}/fhir"
    auth: Json = {"types": ["none"]}
    if protected:
        client = {"client_id": CLIENT, "client_secret": SECRET, "scopes": "system/*.*"}
        auth = {"types": ["bearer", "smart"], "tokens": [TOKEN], "smart_clients": [client]}
    settings = {
        "base_url": base,
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder),
        "server_auth": auth,
        "simulator": {"enabled": False},
        "validation": {"inbound": "strict"},
        "log_inbound": False,
    }
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML.
    (folder / "settings.yaml").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "sekmet.cli", "serve", "--config", "settings.yaml"]
    with (folder / "log.txt").open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)  # noqa: S603  # our own command
        try:
            _wait(process, base, folder / "log.txt")
            yield Ehr(base, TOKEN if protected else "")
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(process: subprocess.Popen[bytes], base: str, said: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, said.read_text(encoding="utf-8", errors="replace")
        try:
            if httpx.get(f"{base}/metadata", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(said.read_text(encoding="utf-8", errors="replace"))
