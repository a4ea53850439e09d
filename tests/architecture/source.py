"""The project's source as syntax trees: what each module imports, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Module:
    name: str
    """Dotted, "cds_service.gather.orders"; a package's ``__init__`` carries the package's name."""
    tree: ast.Module

    @classmethod
    def of(cls, name: str, text: str) -> Module:
        return cls(name, ast.parse(text))

    def imports(self) -> Iterator[str]:
        """Dotted names of everything imported, also inside functions; "a.b" and "a.b.c" for ``from a.b import c``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                assert node.level == 0, f"{self.name}: relative import of {module}"
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)

    def top_level_imports(self) -> frozenset[str]:
        return frozenset(name.partition(".")[0] for name in self.imports())


def modules(package: str) -> tuple[Module, ...]:
    """Every module of a package of this project."""
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"no modules in {package}"
    return tuple(Module.of(_name(path), path.read_text("utf-8")) for path in found)


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
