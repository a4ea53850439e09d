"""One prefetch value, sorted by what it means for this patient.

"Not sent", "sent: nothing there" and "failed" are three different things (checklist 2.5):

    null; Bundle without entries                      read, nothing there
    Bundle with only warning or information           read, nothing there
    Bundle with matches and a warning or an error     the matches, and the list may lack some
    Bundle with a next link, or fewer than its total  the matches, and the list may lack some
    OperationOutcome; only error entries              not available: the EHR could not read it
    another type, a string, a number, HTML            not available: not what was asked for
    one resource for a search, a Bundle for a read    unwrapped

Resources of other patients are dropped and counted. A bad entry costs only itself, and is said. Filters and order are
not trusted: ``gather`` filters and sorts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cards.values import frozen
from cds_service import resources
from cds_service.bundles import Bundle, Entry, Link, Response, Search, Value, read_value
from cds_service.resources import Junk, OperationOutcome, Resource, Subject

NOT_SENT = "the EHR did not send it"
FAILED = "the EHR could not read it"
OTHER_THING = "the EHR sent something else in its place"
OTHER_PATIENT = "the EHR sent another patient's record"
MORE_PAGES = "further pages were not read"
SOME_LEFT_OUT = "the EHR sent only part of the list"
WARNED = "the EHR warned that the list may be partial"
ERROR_BESIDE = "the EHR reported an error beside this list"
_CUT_OFF = (MORE_PAGES, SOME_LEFT_OUT)
_NEWEST_FIRST = "_sort=-date"
"""In a Bundle's self link: what the server did, not what it was asked (FHIR search, "Server Conformance")."""


@frozen
class NotAvailable:
    reason: str
    """One clause for the prescriber."""


@frozen
class Records:
    """What a key held. Empty means: read, nothing there."""

    resources: tuple[Resource, ...] = field(default=(), repr=False)
    unreadable: tuple[Junk, ...] = field(default=(), repr=False)
    incomplete: str = ""
    """Why the list may lack entries, so that absence proves nothing; empty when it is whole."""
    newest_first: bool = False
    """The server says that it sorted by date, newest first: the entries that are missing are older than those here."""


# ----------------------------------------------------------------------------------------------- on the wire


_NULL = Raw(b"null")


class _RawEntry(Struct, gc=False):
    """An entry whose resource is still to be read, by itself: a bad one costs only itself."""

    resource: Raw = _NULL
    search: Search | None = None
    response: Response | None = None


class _Value(Struct, gc=False):
    """A Bundle, another resource, or the pre-1.0 wrapper ``{response, resource}``."""

    resourceType: str | None = None
    entry: list[_RawEntry | None] | None = None
    link: list[Link | None] | None = None
    total: Any = None
    resource: Raw = _NULL
    response: Response | None = None


class _LooseValue(Struct, gc=False):
    """The same when some part of it has a wrong shape."""

    resourceType: str | None = None
    entry: list[Raw] | None = None


_decode_value = msgspec.json.Decoder(_Value).decode
_decode_loosely = msgspec.json.Decoder(_LooseValue).decode
_decode_entry = msgspec.json.Decoder(_RawEntry).decode


@dataclass(slots=True)
class Answer:
    """One value, sorted by what it means for this patient and this key."""

    patient_id: str
    expected: tuple[type[Any], ...]
    matches: list[Resource] = field(default_factory=list)
    others: list[Resource] = field(default_factory=list)
    junk: list[Junk] = field(default_factory=list)
    other_junk: list[Junk] = field(default_factory=list)
    dropped: int = 0
    strangers: int = 0
    """Resources of types that we never read."""
    gap: str = ""
    warned: bool = False
    newest_first: bool = False
    failure: str = ""
    stale: str = ""
    """Why an earlier answer stands here for one that did not come."""
    next_page: str = ""
    """The link to what follows; empty on the last page."""
    counted: int = 0
    """Matches on all pages so far, for comparison with the total."""

    @property
    def unmet(self) -> bool:
        """Whether the FHIR server itself may know more. A failure that the EHR has reported is not asked for again
        (resolutions.md 27), nor a list that only may be partial."""
        if self.failure:
            return self.failure == OTHER_THING and not (self.matches or self.junk)
        if self.matches or self.junk:
            return self.gap == SOME_LEFT_OUT
        return bool(self.dropped or self.others or self.strangers) or self.gap == SOME_LEFT_OUT

    def read_next_page(self, raw: Raw) -> None:
        """What ``next_page`` leads to; the list is whole when nothing follows it."""
        self.gap = self.next_page = ""
        self.read(raw)

    def records(self) -> Records | NotAvailable:
        if self.matches or self.junk:
            unread = f"{len(self.junk)} of its entries could not be read" if self.junk else ""
            warned = WARNED if self.warned else ""
            gap = ERROR_BESIDE if self.failure else self.stale or self.gap or warned or unread
            return Records(tuple(self.matches), tuple(self.junk), gap, self.newest_first and gap in _CUT_OFF)
        if self.failure:
            return NotAvailable(self.failure)
        if self.dropped:
            return NotAvailable(OTHER_PATIENT)
        if self.others or self.strangers:
            return NotAvailable(OTHER_THING)
        # An empty page of several is a gap; an empty answer with a warning is how some EHRs say "nothing there".
        return Records(incomplete=self.stale or self.gap)

    def read(self, raw: Raw) -> None:
        try:
            value = read_value(raw)
        except resources.UNREADABLE:
            self.read_with_care(raw)
        else:
            self.take(value)

    def take(self, value: Value) -> None:
        """A value in which everything is as we know it."""
        if isinstance(value, Bundle):
            if value.entry:
                self._responses(value.entry)
                self._sort_all([one.resource for one in value.entry if one is not None and one.resource is not None])
            if value.link or value.total:
                self._pages(value)
        elif value is not None:
            self._sort(value, alone=True)

    def read_with_care(self, raw: Raw) -> None:
        """The same, entry by entry: for a value that holds something unreadable or of a type that we do not know."""
        try:
            value = _decode_value(raw)
        except resources.UNREADABLE:
            self._read_loosely(raw)
            return
        if value.resourceType == "Bundle":
            entries = [entry for entry in value.entry or () if entry is not None]
            self._responses(entries)
            self._sort_all([resources.read(entry.resource) for entry in entries if entry.resource != _NULL])
            self._pages(value)
        elif value.resourceType is not None:
            self._sort(resources.read(raw), alone=True)
        elif value.response is not None or value.resource != _NULL:
            self._wrapped(value)
        else:
            self.failure = OTHER_THING

    def _read_loosely(self, raw: Raw) -> None:
        try:
            value = _decode_loosely(raw)
        except resources.UNREADABLE:
            self.failure = OTHER_THING
            return
        if value.resourceType != "Bundle":
            self._sort(resources.read(raw), alone=True)
            return
        self.gap = SOME_LEFT_OUT
        for entry in value.entry or ():
            try:
                read = _decode_entry(entry)
            except resources.UNREADABLE:
                self.junk.append(Junk("", "", "malformed Bundle entry"))
                continue
            self._responses([read])
            if read.resource != _NULL:
                self._sort(resources.read(read.resource))

    def _wrapped(self, value: _Value) -> None:
        if value.response is not None and _failed(value.response):
            self.failure = FAILED
        else:
            self.read(value.resource)

    def _pages(self, value: Bundle | _Value) -> None:
        links = [link for link in value.link or () if link is not None]
        following = next((link for link in links if link.relation == "next"), None)
        total = value.total if isinstance(value.total, int) else 0
        if following is not None:
            self.gap, self.next_page = MORE_PAGES, following.url or ""
        if following is not None or total:
            searches = [entry.search for entry in value.entry or () if entry is not None]
            self.counted += len([1 for one in searches if one is None or one.mode == "match" or one.mode is None])
        if following is None and total > self.counted:
            self.gap = SOME_LEFT_OUT
        self.newest_first = any(link.relation == "self" and _NEWEST_FIRST in (link.url or "") for link in links)

    def _responses(self, entries: Sequence[Entry | _RawEntry | None]) -> None:
        answered = [one.response for one in entries if one is not None and one.response is not None]
        if any(map(_failed, answered)):
            self.failure = FAILED

    def _sort_all(self, found: Sequence[Resource | Junk | None]) -> None:
        """Those that were asked for are about this patient, as a rule: whether all are is asked of them together."""
        asked_for = [one for one in found if isinstance(one, self.expected)]
        if not self._all_are_mine(asked_for):
            for one in found:
                self._sort(one)
            return
        self.matches += asked_for
        if len(asked_for) < len(found):
            for one in found:
                if not isinstance(one, self.expected):
                    self._sort(one)

    def _all_are_mine(self, found: Sequence[Resource]) -> bool:
        """Many name one patient."""
        kinds = set(map(type, found))
        if resources.Patient in kinds:
            return all(_is_about(one, self.patient_id) for one in found)
        if not all(issubclass(kind, resources.Clinical) for kind in kinds):
            found = [one for one in found if isinstance(one, resources.Clinical)]
        subjects = set(map(_SUBJECT, found))
        subjects.update(map(_PATIENT, found))
        return all(subject is None or _may_be(subject, self.patient_id) for subject in subjects)

    def _sort(self, resource: Resource | Junk | None, alone: bool = False) -> None:
        if isinstance(resource, self.expected):
            if _is_about(resource, self.patient_id):
                self.matches.append(resource)
            else:
                self.dropped += 1
        elif resource is None:
            self.strangers += 1
        elif isinstance(resource, Junk):
            asked_for = not resource.resource_type or resource.resource_type in map(_tag, self.expected)
            (self.junk if asked_for else self.other_junk).append(resource)
        elif isinstance(resource, OperationOutcome):
            self._outcome(resource, alone)
        elif _is_about(resource, self.patient_id):
            self.others.append(resource)
        else:
            self.dropped += 1

    def _outcome(self, outcome: OperationOutcome, alone: bool) -> None:
        mild = outcome.issue and all(issue.severity in ("information", "warning") for issue in outcome.issue)
        if alone or not mild:
            self.failure = FAILED
        elif any(issue.severity == "warning" for issue in outcome.issue or ()):
            self.warned = True


_SUBJECT, _PATIENT = attrgetter("subject"), attrgetter("patient")


def _tag(kind: type[Any]) -> str:
    return str(kind.__struct_config__.tag)


def _failed(response: Response) -> bool:
    """An entry of a batch response that says 4xx or 5xx."""
    return (response.status or "").startswith(("4", "5"))


def _is_about(resource: Resource, patient_id: str) -> bool:
    """Whether nothing in it names another patient. A resource that names none is the answer to a query for this one."""
    if isinstance(resource, resources.Clinical):
        subject, patient = resource.subject, resource.patient
        return (subject is None or _may_be(subject, patient_id)) and (patient is None or _may_be(patient, patient_id))
    return not isinstance(resource, resources.Patient) or resource.id in (None, patient_id)


def _may_be(subject: Subject, patient_id: str) -> bool:
    return not subject.reference or _names(subject.reference, patient_id)


def _names(reference: str, patient_id: str) -> bool:
    """As "p1", "Patient/p1", absolute, versioned or "urn:uuid:p1"; a contained subject ("#p") tells nothing."""
    if reference == f"Patient/{patient_id}" or reference.startswith("#"):
        return True
    if reference.startswith("urn:"):
        return reference.rpartition(":")[2] == patient_id
    path, _, identity = reference.partition("/_history/")[0].rpartition("/")
    return identity == patient_id and (not path or path.rpartition("/")[2] == "Patient")
