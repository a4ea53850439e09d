"""The files of a Bulk export: each line is read once, wherever the pieces are cut."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.replay.export import NoExportError, Piece, line_number, lines, pieces


def test_files_are_told_by_their_names(tmp_path: Path) -> None:
    for name in (
        "MedicationRequest.ndjson", "Patient.000.ndjson", "1.Condition.ndjson", "export-Observation-2.ndjson.gz",
        "Medication.ndjson", "MedicationAdministration.ndjson", "Encounter.ndjson", "manifest.json", "PatientX.ndjson",
    ):  # fmt: skip
        (tmp_path / name).write_bytes(b"{}\n")
    assert {(piece.type, piece.path.name) for piece in pieces(tmp_path)} == {
        ("MedicationRequest", "MedicationRequest.ndjson"),
        ("Patient", "Patient.000.ndjson"),
        ("Condition", "1.Condition.ndjson"),
        ("Observation", "export-Observation-2.ndjson.gz"),
        ("Medication", "Medication.ndjson"),
    }


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_orders_is_refused_with_a_cure(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "Patient.ndjson").write_bytes(b"{}\n")
    with pytest.raises(NoExportError, match=r"Name the folder|Export them with"):
        pieces(tmp_path / name)


@given(
    texts=st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"").replace(b"\r", b"")), max_size=12),
    size=st.integers(1, 40),
    ended=st.booleans(),
)
def test_every_line_is_read_once_however_the_file_is_cut(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], size: int, *, ended: bool
) -> None:
    folder = tmp_path_factory.mktemp("export")
    file = folder / "MedicationRequest.ndjson"
    file.write_bytes(b"\n".join(texts) + (b"\n" if ended else b""))
    read = [(at, line) for piece in pieces(folder, size) for at, line in lines(piece)]
    assert [line.rstrip(b"\n") for _, line in read] == [text for text in texts if text.strip()]
    whole = file.read_bytes()
    assert all(whole[at:].startswith(line) for at, line in read)


def test_a_compressed_file_is_one_piece_with_the_same_lines(tmp_path: Path) -> None:
    text = b"".join(b'{"id":"%d"}\n' % number for number in range(500))
    (tmp_path / "MedicationRequest.ndjson.gz").write_bytes(gzip.compress(text))
    (piece,) = pieces(tmp_path, 64)
    assert [line for _, line in lines(piece)] == text.splitlines(keepends=True)


def test_a_line_is_named_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "Patient.ndjson"
    file.write_bytes(b"{}\n\n[]\nnull\n")
    piece = Piece("Patient", file, 0, file.stat().st_size)
    assert [(line_number(file, at), line) for at, line in lines(piece)] == [(1, b"{}\n"), (3, b"[]\n"), (4, b"null\n")]
