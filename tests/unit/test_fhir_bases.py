"""Which FHIR servers may be read: bases written in one way, the policies, the addresses behind a name (rows 61-64)."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from cds_service.fhir_client import Base, loopback, nothing, only
from cds_service.fhir_client.networks import LOOPBACK, AddressRefusedError, checked_sockets, may_connect


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://ehr.example/fhir/R4", "https://ehr.example/fhir/R4"),
        ("https://ehr.example/fhir/R4/", "https://ehr.example/fhir/R4"),
        ("https://EHR.example:443/fhir", "https://ehr.example/fhir"),
        ("HTTPS://ehr.example:8443", "https://ehr.example:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:8090/fhir", "http://[::1]:8090/fhir"),
    ],
)
def test_64_a_base_is_written_in_one_way(url: str, written: str) -> None:
    assert str(Base.of(url)) == written


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fhir",
        "//ehr.example/fhir",
        "file:///etc/passwd",
        "gopher://ehr.example/",
        "ftp://ehr.example/fhir",
        "https://user@ehr.example/fhir",
        "https://user:secret@ehr.example/fhir",
        "https://ehr.example/fhir?tenant=1",
        "https://ehr.example/fhir?",
        "https://ehr.example/fhir#part",
        "https://ehr.example/fhir#",
        "https://ehr.example/a/../b",
        "https://ehr.example/a/%2e%2e/b",
        "https://ehr.example/a%2Fb",
        "https://ehr.example/a//b",
        "https://ehr.example\\@evil.example/fhir",
        "https://ehr.example/fh ir",
        "https://ehr.example/fhir\r\nhost: evil.example",
        "https://ehr.example:99999/fhir",
        "https://ehr.example:port/fhir",
        "https:///fhir",
        "https://ehr.example/" + "a" * 9000,
        "https://ehr．example/fhir",
    ],
)
def test_61_64_what_is_no_plain_address_is_refused(url: str) -> None:
    assert Base.of(url) is None


def base(url: str) -> Base:
    found = Base.of(url)
    assert found is not None
    return found


LOCAL = [
    "http://127.0.0.1:8090/fhir", "http://localhost:8090", "https://localhost:8443/fhir", "http://[::1]:8090/fhir",
    "http://127.0.0.1/fhir", "https://localhost/fhir",
]  # fmt: skip
ELSEWHERE = [
    "http://169.254.169.254/", "https://10.0.0.5/fhir", "http://127.0.0.2:8090/fhir", "https://0x7f000001/fhir",
    "http://2130706433:8090/", "http://127.1:8090/", "https://localhost.evil.example/", "https://ehr.example/fhir",
    "http://[::ffff:127.0.0.1]:8090/", "http://0.0.0.0:8090/",
]  # fmt: skip


@pytest.mark.parametrize("url", [*LOCAL, *ELSEWHERE])
def test_61_by_default_nothing_is_read(url: str) -> None:
    assert not nothing(base(url))


@pytest.mark.parametrize("url", LOCAL)
def test_a_sandbox_reads_servers_of_this_machine(url: str) -> None:
    assert loopback(base(url))


@pytest.mark.parametrize("url", [*ELSEWHERE, "http://127.0.0.1:22/", "http://localhost:25/fhir", "http://[::1]:631/"])
def test_61_a_sandbox_reads_nothing_else(url: str) -> None:
    assert not loopback(base(url))


def test_63_only_the_bases_of_the_client_exactly() -> None:
    allowed = only(["https://ehr.example/fhir/R4/", "https://ehr.example:8443/fhir"])
    assert allowed(base("https://EHR.example:443/fhir/R4"))
    assert allowed(base("https://ehr.example:8443/fhir"))
    for other in (
        "https://ehr.example/fhir", "https://ehr.example/fhir/R4/x", "https://ehr.example/fhir/r4",
        "http://ehr.example/fhir/R4", "https://ehr.example.evil.example/fhir/R4", "https://ehr.example:8443/fhir/R4",
    ):  # fmt: skip
        assert not allowed(base(other))


def test_only_says_what_is_no_base() -> None:
    with pytest.raises(ValueError, match="is not the base"):
        only(["https://ehr.example/fhir?x=1"])


HERE = base("https://ehr.example/fhir")
ASKED = "https://ehr.example/fhir/Observation?patient=p1"


@pytest.mark.parametrize(
    ("link", "joined"),
    [
        ("https://ehr.example/fhir?_getpages=1&_count=2", "https://ehr.example/fhir?_getpages=1&_count=2"),
        ("https://ehr.example:443/fhir/Observation?p=2", "https://ehr.example:443/fhir/Observation?p=2"),
        ("?page=2", "https://ehr.example/fhir/Observation?page=2"),
        ("Observation?page=2", "https://ehr.example/fhir/Observation?page=2"),
        ("/fhir/Observation?page=2", "https://ehr.example/fhir/Observation?page=2"),
        ("?code=" + "x" * 3000, "https://ehr.example/fhir/Observation?code=" + "x" * 3000),
        ("?code=http://loinc.org|2160-0", "https://ehr.example/fhir/Observation?code=http://loinc.org|2160-0"),
    ],
)
def test_48_a_link_under_the_base(link: str, joined: str) -> None:
    assert HERE.join(link, ASKED) == joined


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/fhir?page=2",
        "http://ehr.example/fhir?page=2",
        "https://ehr.example:8443/fhir?page=2",
        "https://ehr.example@evil.example/fhir?page=2",
        "https://ehr.example/other?page=2",
        "https://ehr.example/fhirx?page=2",
        "//evil.example/fhir?page=2",
        "/admin?page=2",
        "/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "../../admin",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://ehr.example/fhir?page=2\r\nx: y",
        "https://ehr.example/fhir?" + "x" * 9000,
    ],
)
def test_48_a_link_that_leads_away(link: str) -> None:
    assert HERE.join(link, ASKED) is None


PRIVATE = [
    "127.0.0.1", "::1", "10.0.0.5", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",  # noqa: S104
    "224.0.0.1", "255.255.255.255", "fe80::1", "fe80::1%eth0", "fc00::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.5",
    "64:ff9b::a00:5", "2002:a00:5::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:5", "2001:0:a00:5::1",
    "fec0::1", "5f00::1", "3fff::1", "2001:db8::1", "fd00:ec2::254", "192.0.0.192", "100.100.100.200", "168.63.129.16",
    "192.88.99.1", "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_62_addresses_that_are_not_public(address: str) -> None:
    assert not may_connect(address, ())


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"])
def test_62_public_addresses(address: str) -> None:
    assert may_connect(address, ())


def test_62_the_site_may_list_a_network() -> None:
    networks = (ip_network("10.0.0.0/8"),)
    assert may_connect("10.0.0.5", networks)
    assert may_connect("::ffff:10.0.0.5", networks)
    assert not may_connect("192.168.1.1", networks)
    assert may_connect("fd00::5", (ip_network("fd00::/8"),))


def test_62_the_socket_itself_is_checked() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 8090))
    with pytest.raises(AddressRefusedError):
        checked_sockets([])(info)
    checked_sockets(LOOPBACK)(info).close()
