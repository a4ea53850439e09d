"""Values: made once, never changed, equal when their fields are equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[_T]) -> type[_T]:
    """A frozen dataclass with slots, to whoever reads it and to mypy, which refuses every assignment to a field.

    At run time nothing guards it: what ``@dataclass(frozen=True)`` adds for that made each value three times as dear to
    make, and a whole order-sign an eighth dearer.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen_with_cache(cls: type[_T]) -> type[_T]:
    """The same for a class with ``functools.cached_property``, which needs a ``__dict__``."""
    return dataclass(unsafe_hash=True)(cls)
