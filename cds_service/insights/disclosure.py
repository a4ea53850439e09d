"""Small numbers are not shown, and neither is any other from which one could be worked out.

A number from 1 to ``limit - 1`` is shown as "<limit"; zero is shown. Numbers that add up to totals are flows: what goes
into a node comes out of it (suppression by network flow). A hidden number is safe when
other numbers that fit all that is shown give it another value, that is, when a unit more or less of it can go round in
a circle through numbers that are hidden too. Where there is no such circle the one that costs least is opened: its
numbers are then shown as ranges, exactly as wide as the rest of what is shown leaves them, so that the range itself
tells nothing.

This holds for the tables of one report. Who subtracts reports of two periods from each other is not kept from it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, log10
from operator import itemgetter

from cds_service.insights.count import Count

Key = Hashable
Node = Hashable


@dataclass(frozen=True, slots=True)
class Flow:
    """A number of a table, as a part (``into`` a total) or a total (``out_of`` its parts)."""

    key: Key
    out_of: Node
    into: Node
    number: int
    weight: float = 1
    """How much worse than a plain cell it is to lose: totals weigh more. ``inf``: it is shown elsewhere, as it is."""
    seen: bool = True
    """Whether it is shown at all."""


def published(flows: Iterable[Flow], limit: int) -> Mapping[Key, Count]:
    """Every number that is seen, as it may be shown. The flows of each node balance. ``limit`` 1: nothing is
    hidden; 2 would say of every hidden number that it is one."""
    network = _Network(list(flows), limit)
    network.protect()
    return {flow.key: network.shown(edge) for edge, flow in enumerate(network.flows) if flow.seen}


_Step = tuple[int, int]
"""An edge, and +1 or -1: one more or one less of it."""
_WITHHELD = 1e6
"""The cost of saying nothing of a number, not even that it is small or zero."""


class _Network:
    def __init__(self, flows: Sequence[Flow], limit: int) -> None:
        self.flows = flows
        self._limit = limit
        self._values = [flow.number for flow in flows]
        self._bounds = [self._at_first(flow) for flow in flows]
        self._small = [edge for edge, flow in enumerate(flows) if flow.seen and 0 < flow.number < limit]
        self._steps: dict[Node, list[tuple[_Step, Node]]] = defaultdict(list)
        for edge, flow in enumerate(flows):
            self._steps[flow.out_of].append(((edge, 1), flow.into))
            self._steps[flow.into].append(((edge, -1), flow.out_of))

    def _at_first(self, flow: Flow) -> tuple[int, float]:
        if not flow.seen:
            return 0, inf
        return (1, self._limit - 1) if 0 < flow.number < self._limit else (flow.number, flow.number)

    def protect(self) -> None:
        safe: set[int] = set()
        for edge in self._small:
            if edge not in safe:
                circle = self._circle(edge) or self._opened(edge)
                safe |= {step[0] for step in circle}

    def shown(self, edge: int) -> Count:
        lowest, highest = self._bounds[edge]
        if lowest != highest and highest != self._limit - 1:
            lowest, highest = int(self._reached(edge, -1)), self._reached(edge, 1)
        small = lowest != highest and highest < self._limit
        return Count(lowest, highest, self._limit if small else 0)

    def _room(self, step: _Step, values: Sequence[float]) -> float:
        """How much more, or less, of this number what is shown would allow."""
        edge, sign = step
        lowest, highest = self._bounds[edge]
        return highest - values[edge] if sign > 0 else values[edge] - lowest

    def _circle(self, edge: int) -> list[_Step]:
        """Steps that keep every total and change this number; empty when there are none."""
        for sign in (1, -1):
            if self._room((edge, sign), self._values) >= 1 and (path := self._path((edge, sign), self._values)):
                return path
        return []

    def _path(self, first: _Step, values: Sequence[float]) -> list[_Step]:
        """The shortest circle that begins with ``first`` and passes only where there is room."""
        start, goal = self._ends(first)
        came: dict[Node, tuple[_Step, Node]] = {}
        waiting = deque([start])
        while waiting and goal not in came:
            node = waiting.popleft()
            for step, after in self._steps[node]:
                if after not in came and after != start and step[0] != first[0] and self._room(step, values) >= 1:
                    came[after] = (step, node)
                    waiting.append(after)
        return [first, *_back(came, goal, start)] if goal in came else []

    def _ends(self, step: _Step) -> tuple[Node, Node]:
        """Where a circle goes on after this step, and where it has to come back to."""
        flow = self.flows[step[0]]
        return (flow.into, flow.out_of) if step[1] > 0 else (flow.out_of, flow.into)

    def _opened(self, edge: int) -> list[_Step]:
        """The circle that costs least, with what it passes hidden from now on."""
        ways = [self._cheapest((edge, sign)) for sign in (1, -1) if self._room((edge, sign), self._values) >= 1]
        circle = min(ways, key=itemgetter(0))[1]
        for step in circle:
            if self._cost(step) >= _WITHHELD:
                self._bounds[step[0]] = (0, inf)
            elif self._room(step, self._values) < 1:
                self._bounds[step[0]] = (self._limit, inf)
        return circle

    def _cost(self, step: _Step) -> float:
        if self._room(step, self._values) >= 1:
            return 0
        edge, sign = step
        number, weight = self._values[edge], self.flows[edge].weight
        if number + min(sign, 0) >= self._limit and number == self._bounds[edge][1]:
            return weight * (1 + log10(number))
        return weight * _WITHHELD

    def _cheapest(self, first: _Step) -> tuple[float, list[_Step]]:
        start, goal = self._ends(first)
        costs: dict[Node, float] = {start: 0}
        came: dict[Node, tuple[_Step, Node]] = {}
        waiting: list[tuple[float, int, Node]] = [(0, 0, start)]
        pushed = 0
        while waiting:
            cost, _, node = heappop(waiting)
            if node == goal:
                break
            for step, after in self._steps[node]:
                if step[0] == first[0] or (step[1] < 0 and self._values[step[0]] == 0):
                    continue
                further = cost + self._cost(step)
                if further < costs.get(after, inf):
                    costs[after], came[after] = further, (step, node)
                    pushed += 1
                    heappush(waiting, (further, pushed, after))
        return costs.get(goal, inf), [first, *_back(came, goal, start)] if goal in came else []

    def _reached(self, edge: int, sign: int) -> float:
        """The most, or least, that this number could be by all that is shown: as much as can go round."""
        values: list[float] = list(self._values)
        while self._room((edge, sign), values) >= 1 and (circle := self._path((edge, sign), values)):
            much = min(self._room(step, values) for step in circle)
            if much == inf:
                return inf
            for passed, more in circle:
                values[passed] += more * much
        return values[edge]


def _back(came: Mapping[Node, tuple[_Step, Node]], goal: Node, start: Node) -> Iterator[_Step]:
    """From ``goal`` to ``start``; the order of a circle's steps does not matter."""
    node = goal
    while node != start:
        step, node = came[node]
        yield step
