"""Small numbers are hidden, and cannot be worked out from what is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.insights.count import Count
from cds_service.insights.disclosure import Flow, published

Cells = Sequence[Sequence[int]]


def table(cells: Cells) -> Iterator[Flow]:
    """Rows and columns with all their totals. Keys: (row, column), None for "all"."""
    for row, numbers in enumerate(cells):
        for column, number in enumerate(numbers):
            yield Flow((row, column), ("row", row), ("column", column), number)
        yield Flow((row, None), "source", ("row", row), sum(numbers), weight=10)
    for column, numbers in enumerate(zip(*cells, strict=True)):
        yield Flow((None, column), ("column", column), "sink", sum(numbers), weight=10)
    yield Flow((None, None), "sink", "source", sum(map(sum, cells)), weight=100)


def shown(cells: Cells, limit: int = 5) -> dict[object, str]:
    return {key: str(count) for key, count in published(table(cells), limit).items()}


@pytest.mark.parametrize(("number", "said"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (6, "6")])
def test_the_edge(number: int, said: str) -> None:
    assert shown([[number]])[0, 0] == said


def test_a_small_number_hides_another_of_its_row_and_of_its_column() -> None:
    """Otherwise 50 - 46 says that it is 4. What the others are shown as, anybody could work out from "<5"."""
    said = shown([[46, 4], [30, 20]])
    assert said == {
        (0, 0): "46 to 49", (0, 1): "<5", (0, None): "50",
        (1, 0): "27 to 30", (1, 1): "20 to 23", (1, None): "50",
        (None, 0): "76", (None, 1): "24", (None, None): "100",
    }  # fmt: skip


def test_two_small_numbers_that_keep_each_other_hide_nothing_else() -> None:
    said = shown([[3, 47], [2, 48], [45, 5]])
    assert [key for key, text in said.items() if text == "<5"] == [(0, 0), (1, 0)]


def test_two_that_their_sum_gives_away_do_not_suffice() -> None:
    """1 and 1 are 2, and each is at least 1. 40 is then 42 - 8 to 42 - 2."""
    said = shown([[1, 1, 40]])
    assert [said[0, column] for column in (0, 1, 2, None)] == ["<5", "<5", "34 to 40", "42"]


def test_a_row_of_small_numbers_alone() -> None:
    """Five times one is five: as each is at least one, its total would give all away."""
    counts = published(table([[1, 1, 1, 1, 1]]), 5)
    assert not counts[0, None].exact
    assert {str(counts[0, column]) for column in range(5)} == {"<5"}


def test_a_total_may_be_small_itself() -> None:
    assert shown([[2, 0], [1, 0]])[None, None] == "<5"


def test_nothing_is_hidden_at_a_limit_of_one() -> None:
    assert set(shown([[1, 2], [3, 0]], limit=1).values()) == {"0", "1", "2", "3", "4", "6"}


def test_nothing_is_hidden_without_a_small_number() -> None:
    assert all(count.exact for count in published(table([[5, 6], [0, 7]]), 5).values())


def test_what_is_not_seen_is_not_shown_and_hides_the_others() -> None:
    flows = [
        Flow("a", "source", "sink", 4),
        Flow("b", "source", "sink", 9, seen=False),
        Flow("all", "sink", "source", 13),
    ]
    assert {key: str(count) for key, count in published(flows, 5).items()} == {"a": "<5", "all": "13"}


def test_what_stands_elsewhere_as_it_is_stays() -> None:
    flows = [
        Flow("a", "source", "sink", 4),
        Flow("b", "source", "sink", 900),
        Flow("all", "sink", "source", 904, weight=float("inf")),
    ]
    assert {key: str(count) for key, count in published(flows, 5).items()} == {
        "a": "<5", "b": "900 to 903", "all": "904",
    }  # fmt: skip


def fits(counts: Mapping[object, Count], cells: Cells) -> bool:
    return all(
        counts[flow.key].lowest <= flow.number <= counts[flow.key].highest  # all that a reader knows
        for flow in table(cells)
    )


@st.composite
def tables(draw: st.DrawFn) -> list[list[int]]:
    rows, columns = draw(st.sampled_from([(1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (2, 3), (3, 2)]))
    return [[draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7])) for _ in range(columns)] for _ in range(rows)]


@settings(max_examples=400, deadline=None)
@given(tables(), st.sampled_from([3, 4]))
def test_every_hidden_number_could_be_another(cells: list[list[int]], limit: int) -> None:
    """By trying out all other tables that fit what is shown."""
    counts = published(table(cells), limit)
    assert fits(counts, cells)
    hidden = {flow.key: flow.number for flow in table(cells) if 0 < flow.number < limit}
    seen: dict[object, set[int]] = {key: set() for key in hidden}
    width = len(cells[0])
    ranges = [
        range(count.lowest, int(min(count.highest, 14)) + 1)
        for row in range(len(cells))
        for count in (counts[row, column] for column in range(width))
    ]
    for numbers in product(*ranges):
        other = [list(numbers[begin : begin + width]) for begin in range(0, len(numbers), width)]
        if fits(counts, other):
            for flow in table(other):
                if flow.key in seen:
                    seen[flow.key].add(flow.number)
            if all(len(values) > 1 for values in seen.values()):
                break
    assert {key: values for key, values in seen.items() if len(values) < 2} == {}


def test_a_year_of_many_rules_takes_a_moment() -> None:
    cells = [[(row * 7 + column * 3) % 11 for column in range(53)] for row in range(70)]
    counts = published(table(cells), 5)
    assert len(counts) == 71 * 54
    assert all(not counts[flow.key].exact for flow in table(cells) if 0 < flow.number < 5)
