"""A service that is told to stop: calls that are running end, and are written down."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.conformance.calls import SERVICE, TODAY, order, order_sign
from tests.conformance.process import serving

SLOW = 1.0
"""Seconds of the FHIR server for an answer."""


class SlowFhir(BaseHTTPRequestHandler):
    asked = threading.Event()

    def do_GET(self) -> None:
        self.asked.set()
        time.sleep(SLOW)
        body = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'
        self.send_response(200)
        self.send_header("content-type", "application/fhir+json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        pass


@pytest.mark.parametrize("workers", [1, 2])
def test_calls_that_are_running_end_and_are_written_down(tmp_path: Path, workers: int) -> None:
    (state := tmp_path / "state").mkdir()
    kept = {"BACLOFEN_CDS_STATE_DIR": str(state), "BACLOFEN_CDS_SPOOL_BYTES": str(1 << 20)}
    SlowFhir.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), SlowFhir) as fhir:
        thread = threading.Thread(target=fhir.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        request = order_sign(order(mg=20), prefetch={}) | {"fhirServer": f"http://127.0.0.1:{fhir.server_address[1]}"}
        settings = {"BACLOFEN_CDS_TODAY": TODAY, "BACLOFEN_CDS_FHIR_SECONDS": "5", **kept}
        with (
            serving(tmp_path, "--sandbox", "--workers", str(workers), **settings) as service,
            ThreadPoolExecutor(4) as callers,
        ):
            calls = [callers.submit(httpx.post, service.url + SERVICE, json=request, timeout=20) for _ in range(4)]
            assert SlowFhir.asked.wait(10)
            time.sleep(SLOW / 4)
            os.kill(service.pid, signal.SIGTERM)
            answers = [call.result() for call in calls]
        fhir.shutdown()
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json()["cards"] for answer in answers)
    with closing(sqlite3.connect(state / "store.sqlite3")) as store:
        written = {json.loads(detail)["request_id"] for (detail,) in store.execute("SELECT detail FROM hook_call")}
        shown = {uuid for (uuid,) in store.execute("SELECT uuid FROM card")}
    assert written == {answer.headers["x-request-id"] for answer in answers}
    assert shown == {card["uuid"] for answer in answers for card in answer.json()["cards"]}
    said = service.log()
    assert said.count('"event":"stopped"') == workers
    assert "Traceback" not in said
