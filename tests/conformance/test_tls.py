"""G1, J17: TLS and mutual TLS without a proxy, over real sockets."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cds_service.__main__ import main
from tests.conformance.calls import SERVICE, order_sign
from tests.conformance.process import Service, serving_over
from tests.integration import certificates
from tests.integration.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return certificates.authority(tmp_path_factory.mktemp("authority"))


def caller(authority: Authority, certificate: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.file)
    if certificate:
        context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def service(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """It asks callers for a certificate of the authority."""
    here = str(authority.issued("localhost"))
    names = {"TLS_CERTIFICATE": here, "TLS_KEY": here, "TLS_CLIENTS": str(authority.file)}
    environment = {f"BACLOFEN_CDS_{name}": value for name, value in names.items()}
    tls = caller(authority, authority.issued("ehr.example"))
    with serving_over(tls, tmp_path_factory.mktemp("tls"), "--sandbox", **environment) as running:
        yield running


def test_G1_J17_a_caller_with_a_certificate_is_answered(service: Service) -> None:
    assert service.tls
    with httpx.Client(base_url=service.url, verify=service.tls) as known:
        assert known.get("/cds-services").status_code == 200
        assert known.post(SERVICE, json=order_sign()).status_code == 200


def refused(url: str, tls: ssl.SSLContext) -> bool:
    try:
        httpx.get(f"{url}/healthz", verify=tls)
    except (httpx.TransportError, ssl.SSLError):
        return True
    return False


def test_J17_without_one_nobody_is_heard(service: Service, authority: Authority, tmp_path: Path) -> None:
    stranger = certificates.authority(tmp_path / "other")
    assert refused(service.url, caller(authority))
    assert refused(service.url, caller(authority, stranger.issued("ehr.example")))
    assert refused(
        service.url, caller(authority, authority.issued("ehr.example", until=certificates.NOW - certificates.DAY))
    )
    assert not refused(service.url, caller(authority, authority.issued("ehr.example")))


def test_G1_older_versions_and_plain_http_are_refused(service: Service, authority: Authority) -> None:
    old = caller(authority, authority.issued("ehr.example"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    assert refused(service.url, old)
    with pytest.raises(httpx.TransportError):
        httpx.get(service.url.replace("https://", "http://"))


def test_afterwards_nothing_was_logged_as_a_fault(service: Service) -> None:
    assert "Traceback" not in service.log()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TLS_CERTIFICATE": "good"}, "tls_key (BACLOFEN_CDS_TLS_KEY): tls_certificate needs it; set a PEM file"),
        ({"TLS_KEY": "good"}, "tls_certificate (BACLOFEN_CDS_TLS_CERTIFICATE): tls_key needs it; set a PEM file"),
        ({"TLS_CLIENTS": "good"}, "tls_key (BACLOFEN_CDS_TLS_KEY): tls_clients needs it"),
        ({"TLS_CERTIFICATE": "good", "TLS_KEY": "other"}, "name PEM files that belong together"),
        ({"TLS_CERTIFICATE": "good", "TLS_KEY": "empty"}, "name PEM files that belong together"),
        ({"TLS_CERTIFICATE": "good", "TLS_KEY": "good", "TLS_CLIENTS": "empty"}, "name PEM files that belong together"),
        ({"TLS_CERTIFICATE": "absent", "TLS_KEY": "good"}, "tls_certificate (BACLOFEN_CDS_TLS_CERTIFICATE): "),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_files_that_do_not_fit_stop_the_start(
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    command: str,
    given: dict[str, str],
    said: str,
) -> None:
    (tmp_path / "empty").write_text("")
    files = {"good": authority.issued("localhost"), "other": authority.issued("localhost")}
    for name, value in given.items():
        monkeypatch.setenv(f"BACLOFEN_CDS_{name}", str(files.get(value, tmp_path / value)))
    assert main([command, "--sandbox"]) == 2
    assert said in capsys.readouterr().err


def test_check_config_says_who_ends_tls(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-config", "--sandbox"]) == 0
    assert "TLS            ended by a proxy; this service speaks HTTP" in capsys.readouterr().out
    here = str(authority.issued("localhost"))
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        monkeypatch.setenv(f"BACLOFEN_CDS_{name}", here)
    monkeypatch.setenv("BACLOFEN_CDS_TLS_CLIENTS", str(authority.file))
    assert main(["check-config", "--sandbox"]) == 0
    assert f"TLS            here, by {here}; callers need a certificate" in capsys.readouterr().out
