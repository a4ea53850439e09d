"""HTTP/1.1 by uvicorn and httptools, bounded where neither bounds it: the head of a request in bytes and in time, and
the time in which an answer is taken.

A body has its own limits in ``routes``.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import TimerHandle
from pathlib import Path
from typing import Any

from uvicorn.config import create_ssl_context
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 << 10
"""Bytes. What is below, and too large all the same, is told so by ``middleware.Edge``."""
LONGEST_HEAD = 10.0
"""Seconds from the connection, or from the first byte of a further request, to the end of the head."""
LONGEST_STANDSTILL = 10.0
"""Seconds for which a client may leave an answer lying, all buffers full: each holds memory until it is taken."""


def tls(certificate: Path, key: Path, clients: Path | None) -> dict[str, Any]:
    """What uvicorn needs to speak TLS 1.2 or newer; with ``clients``, the authorities of callers' certificates, only to
    callers who have one. Raises ``OSError`` for files that do not belong together."""
    needs = ssl.CERT_REQUIRED if clients else ssl.CERT_NONE
    create_ssl_context(certificate, key, None, ssl.PROTOCOL_TLS_SERVER, needs, clients, None)
    return {"ssl_certfile": certificate, "ssl_keyfile": key, "ssl_ca_certs": clients, "ssl_cert_reqs": needs}


class BoundedHttp(HttpToolsProtocol):
    """Costs a request nothing whose head arrives in one piece, as heads do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: TimerHandle | None = None
        self._standstill: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._goes_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._goes_on()
        self._standstill = self.loop.call_later(LONGEST_STANDSTILL, self.transport.abort)

    def resume_writing(self) -> None:
        self._goes_on()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD:
                self._refuse(b"431 Request Header Fields Too Large")
            else:
                self._wait_for_head()
        elif self.timeout_keep_alive_task is None and self._idle():
            # Blank lines, or the rest of a body that was refused: uvicorn waits for either without an end.
            self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_here()
        super().on_headers_complete()

    def _idle(self) -> bool:
        """No request is being answered. ``cycle`` is None before the first one, whatever its type says."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _wait_for_head(self) -> None:
        if self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(LONGEST_HEAD, self._refuse, b"408 Request Timeout")

    def _head_is_here(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _goes_on(self) -> None:
        if self._standstill is not None:
            self._standstill.cancel()
            self._standstill = None

    def _refuse(self, status: bytes) -> None:
        self._head_is_here()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()
