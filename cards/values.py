"""Values: made once, never changed, equal when their fields are equal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots, to whoever reads it and to mypy, which refuses every assignment to a field.

    At run time nothing guards it: what ``@dataclass(frozen=True)`` adds for that made each value three times as dear to
    make, and a whole order-sign an eighth dearer.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen_with_once(cls: type[_T]) -> type[_T]:
    """The same for a class with attributes of the kind ``once``, which need a ``__dict__``."""
    return dataclass(unsafe_hash=True)(cls)


class once(Generic[_T]):  # noqa: N801  # a decorator
    """An attribute that is worked out when it is first asked for; ``functools.cached_property`` of Python 3.12, without
    the lock that 3.11 takes each time: values of one call are asked by one thread."""

    def __init__(self, compute: Callable[[Any], _T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, value: Any, _: type[Any]) -> _T:
        found = value.__dict__[self._name] = self._compute(value)
        return found
