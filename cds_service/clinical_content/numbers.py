"""Numbers and their sources, as a reviewer approves or rejects them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cards.content import POLICY, Parameter, Source
from cds_service.clinical_content.markdown import APPROVAL, link, table

NOT_READ = "**NOT READ**"
"""A source that nobody has read: no card may cite it."""

_STATUS = {
    "verified": "read",
    "verified-secondary": "read in a restatement",
    "to-verify": NOT_READ,
    POLICY: "policy",
}
_EDGES = {"_at_least": "≥ ", "_at_most": "≤ ", "_above": "> ", "_below": "< ", "_max_age": "≤ "}


def number_table(parameters: Sequence[Parameter], evidence: Mapping[str, Source]) -> str:
    """One row to tick for each number."""
    return table(
        ("number", "value", "sources (strength, status)", "why", "approved"),
        (
            (f"`{one.name}`", f"**{value(one)}**", sources(one.sources, evidence), one.why, APPROVAL)
            for one in parameters
        ),
    )


def value(parameter: Parameter) -> str:
    """ "≥ 20 mg/day": the name of a number says on which side of it the rule speaks."""
    edge = next((sign for end, sign in _EDGES.items() if parameter.name.endswith(end)), "")
    count = " (a count)" if parameter.value.unit == "count" else ""
    return f"{edge}{parameter.value}{' old' if parameter.name.endswith('_max_age') else ''}{count}"


def sources(keys: Iterable[str], evidence: Mapping[str, Source]) -> str:
    return "; ".join(f"{_link(key)} ({_worth(evidence[key])})" if key in evidence else "policy" for key in keys)


def status(source: Source) -> str:
    return _STATUS[source.status]


def on_policy_alone(parameter: Parameter, evidence: Mapping[str, Source]) -> bool:
    """No source gives it; an entry of the bibliography that only records our choice is none."""
    return all(key == POLICY or evidence[key].status == POLICY for key in parameter.sources)


def _link(key: str) -> str:
    return link(key, key.lower())


def _worth(source: Source) -> str:
    return ", ".join(part for part in (source.strength, status(source)) if part)
