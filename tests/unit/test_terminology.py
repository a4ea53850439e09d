"""The value sets: complete for the clinic, free of contradictions, and their rules of matching."""

import csv
import time
import tomllib
from pathlib import Path

import pytest

from cards.facts import DrugClass, Problem
from cards.terminology import FOLDER, Kind, System, Terminology, TerminologyError, bare_code

INDEX = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))["files"]
HEADER = "match,code,display,flags,verification,source\n"


@pytest.fixture(scope="module")
def all_sets() -> Terminology:
    return Terminology.load()


def rows(value_set: str, system: System) -> list[dict[str, str]]:
    with (FOLDER / f"{value_set}.{system.value}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ------------------------------------------------------------------------------------------------- the whole folder


@pytest.mark.parametrize("member", [*Problem, *DrugClass])
def test_each_class_of_the_clinic_has_codes(all_sets: Terminology, member: Problem | DrugClass) -> None:
    assert member.value in all_sets.value_sets


@pytest.mark.parametrize("problem", Problem)
def test_each_problem_has_icd_10_cm_codes(problem: Problem) -> None:
    assert rows(problem.value, System.ICD10CM)


def test_each_file_says_where_it_comes_from_and_under_which_licence() -> None:
    for name, entry in INDEX.items():
        assert entry.keys() == {"title", "kind", "source", "licence", "version"}, name
        assert all(entry.values()), name
    assert {entry["licence"] for name, entry in INDEX.items() if ".snomed." in name} == {"SNOMED CT"}
    assert {entry["licence"] for name, entry in INDEX.items() if ".dmd." in name} == {"dm+d"}


def test_no_ndc_file_names_a_placeholder_labeler() -> None:
    for path in FOLDER.glob("*.ndc.csv"):
        assert "99999-" not in path.read_text(encoding="utf-8"), path.name


def test_loading_is_quick() -> None:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        Terminology.load()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.4


# -------------------------------------------------------------------------------------------------- contradictions


APART = [
    ("baclofen-oral-products", "baclofen-intrathecal-products"),
    ("baclofen-oral-products", "other-skeletal-muscle-relaxants"),
    ("baclofen-ingredient", "other-skeletal-muscle-relaxants"),
    ("opioid-medications", "opioid-antagonist"),
    ("opioid-medications", "naloxone-rescue-products"),
    ("encephalopathy", "delirium-hallucination-history"),
    ("encephalopathy", "psychosis-schizophrenia-spectrum"),
    ("chronic-kidney-disease-stage-3", "chronic-kidney-disease-stage-4"),
    ("egfr-observations", "creatinine-clearance-observations"),
    ("egfr-observations", "serum-creatinine-observations"),
]


@pytest.mark.parametrize(("one", "other"), APART)
@pytest.mark.parametrize("system", System)
def test_no_code_is_in_two_contradictory_sets(one: str, other: str, system: System) -> None:
    names = [f"{value_set}.{system.value}.csv" for value_set in (one, other)]
    if all(name in INDEX for name in names):
        first, second = ({bare_code(row["code"]) for row in rows(value_set, system)} for value_set in (one, other))
        assert not first & second


def test_a_code_is_only_found_among_its_own_kind(all_sets: Terminology) -> None:
    ethanol = "419442005"  # a substance that the sources put among alcohol problems
    assert all_sets.find(Kind.DRUG, System.SNOMED, ethanol) == {}
    assert all_sets.find(Kind.PROBLEM, System.LOINC, "2160-0") == {}


def test_rescue_products_are_antagonists() -> None:
    antagonists = {row["code"] for row in rows("opioid-antagonist", System.RXNORM)}
    assert {row["code"] for row in rows("naloxone-rescue-products", System.RXNORM)} <= antagonists


# ---------------------------------------------------------------------------------------------- codes of the rules


@pytest.mark.parametrize(
    ("code", "value_set"),
    [
        ("F10.129", "alcohol-intoxication"),
        ("F10.229", "alcohol-intoxication"),
        ("F10.921", "alcohol-intoxication"),
        ("T51.0X1A", "alcohol-intoxication"),
        ("S06.5X0A", "brain-injury"),
        ("Z87.820", "brain-injury"),
        ("E10.9", "diabetes"),
        ("E11.22", "diabetes"),
        ("E13.65", "diabetes"),
        ("G92.8", "encephalopathy"),
        ("G93.41", "encephalopathy"),
        ("R41.82", "encephalopathy"),
        ("W01.0XXA", "falls-or-fracture"),
        ("W19.XXXA", "falls-or-fracture"),
        ("S72.001A", "falls-or-fracture"),
        ("S52.501A", "falls-or-fracture"),
        ("Z91.81", "falls-or-fracture"),
        ("R29.6", "falls-or-fracture"),
        ("I50.22", "heart-failure"),
        ("K76.82", "hepatic-encephalopathy"),
        ("Z51.5", "hospice"),
        ("G82.50", "low-muscle-mass"),
        ("G12.21", "low-muscle-mass"),
        ("M62.84", "low-muscle-mass"),
        ("K74.60", "low-muscle-mass"),
        ("N31.9", "neurogenic-bladder"),
        ("T40.2X1A", "overdose"),
        ("T40.1X4D", "overdose"),
        ("T40.411A", "overdose"),
        ("E80.21", "porphyria"),
        ("F20.9", "psychosis-schizophrenia-spectrum"),
        ("F31.81", "bipolar"),
        ("R44.0", "delirium-hallucination-history"),
        ("F05", "delirium-hallucination-history"),
        ("R45.851", "suicidality-history"),
        ("G40.909", "seizure-epilepsy"),
        ("G20.A1", "parkinsons"),
        ("N17.9", "acute-kidney-injury"),
        ("Z99.2", "dialysis"),
        ("Z94.0", "kidney-transplant"),
        ("G47.33", "respiratory-depression-risk"),
        ("E66.2", "respiratory-depression-risk"),
        ("K25.9", "peptic-ulcer"),
        ("O09.90", "pregnancy"),
        ("Z39.1", "lactation"),
        ("G90.4", "autonomic-dysreflexia"),
        ("G35", "spasticity-indications"),
    ],
)
def test_icd_10_cm_codes_of_the_rules(all_sets: Terminology, code: str, value_set: str) -> None:
    assert value_set in all_sets.find(Kind.PROBLEM, System.ICD10CM, code)
    assert value_set in all_sets.find(Kind.PROBLEM, System.ICD10CM, code.replace(".", "").lower())


@pytest.mark.parametrize(
    ("code", "value_set"),
    [
        ("F10.20", "alcohol-intoxication"),
        ("F10.11", "alcohol-intoxication"),
        ("T40.2X5A", "overdose"),  # adverse effect
        ("T40.2X6A", "overdose"),  # underdosing
        ("T40.5X1A", "overdose"),  # cocaine
        ("T40.2X5A", "opioid-use-disorder"),
        ("I95.1", "falls-or-fracture"),
        ("R55", "falls-or-fracture"),
        ("S62.001A", "falls-or-fracture"),  # wrist: rules.md names S22, S32, S42, S52, S72
        ("E23.2", "diabetes"),  # diabetes insipidus
        ("R73.03", "diabetes"),  # prediabetes
        ("G93.45", "encephalopathy"),  # developmental and epileptic
        ("G93.41", "delirium-hallucination-history"),
        ("K76.82", "delirium-hallucination-history"),
        ("F26", "psychosis-schizophrenia-spectrum"),
        ("K70.0", "low-muscle-mass"),
        ("G45.4", "stroke"),
    ],
)
def test_icd_10_cm_codes_that_do_not_belong(all_sets: Terminology, code: str, value_set: str) -> None:
    assert value_set not in all_sets.find(Kind.PROBLEM, System.ICD10CM, code)


@pytest.mark.parametrize(
    ("code", "value_set"),
    [
        ("F10.0", "alcohol-intoxication"),
        ("T40.2", "overdose"),
        ("G41.9", "seizure-epilepsy"),
        ("I64", "stroke"),
        ("F00.1*", "dementia-cognitive-impairment"),
        ("E14.9†", "diabetes"),
        ("Z99.2", "dialysis"),
    ],
)
def test_icd_10_of_the_who(all_sets: Terminology, code: str, value_set: str) -> None:
    assert value_set in all_sets.find(Kind.PROBLEM, System.ICD10, code)


@pytest.mark.parametrize(
    ("system", "code", "value_set", "flag"),
    [
        (System.ICD10CM, "F10.21", "alcohol-use-disorder", "history-or-remission"),
        (System.ICD10CM, "F11.21", "opioid-use-disorder", "history-or-remission"),
        (System.SNOMED, "698958008", "delirium-hallucination-history", "history-or-remission"),
        (System.ICD10CM, "Z86.73", "stroke", "personal-history"),
        (System.ICD10CM, "Z91.51", "suicidality-history", "personal-history"),
        (System.ICD10CM, "R45.851", "suicidality-history", "ideation"),
        (System.ICD10CM, "R44.1", "delirium-hallucination-history", "hallucination"),
        (System.ICD10, "R44.1", "delirium-hallucination-history", "hallucination"),
        (System.ICD10CM, "T86.12", "kidney-transplant", "graft-failure"),
        (System.SNOMED, "236583003", "kidney-transplant", "graft-failure"),
        (System.ICD10CM, "G82.20", "spasticity-indications", "sci-or-spinal"),
        (System.ICD10CM, "G47.31", "respiratory-depression-risk", "sleep-apnea"),
        (System.ICD10CM, "R25.2", "spasticity-indications", "non-labelled-muscle-spasm"),
    ],
)
def test_flags(all_sets: Terminology, system: System, code: str, value_set: str, flag: str) -> None:
    assert flag in all_sets.find(Kind.PROBLEM, system, code)[value_set]


def test_flags_that_must_not_spread(all_sets: Terminology) -> None:
    assert all_sets.find(Kind.PROBLEM, System.ICD10CM, "F10.20")["alcohol-use-disorder"] == frozenset()
    assert "graft-failure" not in all_sets.find(Kind.PROBLEM, System.ICD10CM, "Z94.0")["kidney-transplant"]


@pytest.mark.parametrize(
    ("code", "value_set"),
    [
        ("N02AA05", "opioid-medications"),
        ("N06AB06", "ssri-snri"),
        ("N06AX21", "ssri-snri"),
        ("J01GB03", "nephrotoxic-drugs"),
        ("N05AN01", "lithium"),
        ("M03BX01", "baclofen-ingredient"),
        ("M03BX02", "other-skeletal-muscle-relaxants"),
    ],
)
def test_atc(all_sets: Terminology, code: str, value_set: str) -> None:
    assert value_set in all_sets.find(Kind.DRUG, System.ATC, code)


def test_atc_exclusions(all_sets: Terminology) -> None:
    assert all_sets.find(Kind.DRUG, System.ATC, "N05AN01").keys() == {"lithium"}  # below N05A, left out of it
    assert all_sets.find(Kind.DRUG, System.ATC, "N03AX16").keys() == {"gabapentinoids"}  # pregabalin, below N03AX
    assert "other-skeletal-muscle-relaxants" not in all_sets.find(Kind.DRUG, System.ATC, "M03BX01")


# ------------------------------------------------------------------------------------------- matching, and its errors


def folder_with(tmp_path: Path, body: str, name: str = "anxiety.icd10cm.csv", kind: str = "problem") -> Path:
    (tmp_path / name).write_text(HEADER + body, encoding="utf-8")
    entry = f'[files."{name}"]\ntitle = "t"\nkind = "{kind}"\nsource = "s"\nlicence = "l"\nversion = "1"\n'
    (tmp_path / "index.toml").write_text(entry, encoding="utf-8")
    return tmp_path


def test_a_row_of_its_own_wins_over_an_exclusion(tmp_path: Path) -> None:
    body = "prefix,F40,Phobias,,verified,T\nexclude,F40.2,Specific,,verified,T\nexact,F40.21,Animal,mild,verified,T\n"
    made = Terminology.load(folder_with(tmp_path, body))

    def found(code: str) -> object:
        return made.find(Kind.PROBLEM, System.ICD10CM, code)

    assert found("F40.1") == {"anxiety": frozenset()}
    assert found("F40") == {"anxiety": frozenset()}
    assert found("F40.2") == {}
    assert found("F40.29") == {}
    assert found("F40.21") == {"anxiety": frozenset({"mild"})}
    assert found("F4") == {}
    assert found("") == {}


def test_flags_of_prefix_and_row_add_up(tmp_path: Path) -> None:
    body = "prefix,F40,Phobias,one,verified,T\nexact,F40.1,Social,two,verified,T\n"
    made = Terminology.load(folder_with(tmp_path, body))
    assert made.find(Kind.PROBLEM, System.ICD10CM, "f401") == {"anxiety": frozenset({"one", "two"})}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("exact,F40.1,Social phobia,,verified\n", "line 2: 5 fields"),
        ("exact,F40.1,Social phobia,,verified,T\nexact,F40.1,Again,,verified,T\n", "line 3: F40.1 stands twice"),
        ("exact,197391,baclofen,,verified,T\n", "line 2: '197391' is no icd10cm code"),
        ("exact,F40.1,,,verified,T\n", "has no display or source"),
        ("exact,F40.1,Social phobia,,verified,\n", "has no display or source"),
        ("starts,F40,Phobias,,verified,T\n", "line 2: match 'starts'; write exact"),
    ],
)
def test_a_bad_row_is_named_with_its_cure(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(TerminologyError, match=says) as raised:
        Terminology.load(folder_with(tmp_path, body))
    assert str(raised.value).startswith("anxiety.icd10cm.csv")
    assert ";" in str(raised.value)


def test_a_prefix_in_a_system_without_hierarchy_is_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "prefix,2160-0,Creatinine,,verified,T\n", "x.loinc.csv", "observation")
    with pytest.raises(TerminologyError, match="match 'prefix'"):
        Terminology.load(folder)


def test_a_file_without_an_entry_and_an_entry_without_a_file_are_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "exact,F40.1,Social phobia,,verified,T\n")
    (folder / "stroke.icd10cm.csv").write_text(HEADER, encoding="utf-8")
    with pytest.raises(TerminologyError, match=r"no entry for stroke\.icd10cm\.csv; add it"):
        Terminology.load(folder)
    (folder / "stroke.icd10cm.csv").unlink()
    (folder / "anxiety.icd10cm.csv").unlink()
    with pytest.raises(TerminologyError, match=r"anxiety\.icd10cm\.csv: cannot be read"):
        Terminology.load(folder)


def test_an_unknown_system_and_a_broken_index_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TerminologyError, match=r"name it VALUE-SET\.SYSTEM\.csv"):
        Terminology.load(folder_with(tmp_path, "", "anxiety.icd11.csv"))
    (tmp_path / "index.toml").write_text("files = 3", encoding="utf-8")
    with pytest.raises(TerminologyError, match=r"index\.toml"):
        Terminology.load(tmp_path)
    with pytest.raises(TerminologyError, match="kind"):
        Terminology.load(folder_with(tmp_path, "", kind="cheese"))
