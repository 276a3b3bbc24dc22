"""A check: which facts it looks at, and how it judges them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ops.doctor.facts.facts import Facts
from ops.doctor.finding import Finding, Unknown, not_checked

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Check(Generic[F]):
    """``finds`` and ``remedy`` describe it for people, in one sentence each; ``of`` picks what ``judge`` looks at."""

    name: str
    finds: str
    remedy: str
    of: Callable[[Facts], F | Unknown]
    judge: Callable[[F], Sequence[Finding]]

    def examine(self, facts: Facts) -> Sequence[Finding]:
        """One finding at least. Whatever is the matter with this check, the others go on."""
        try:
            fact = self.of(facts)
            return [not_checked(fact.because)] if isinstance(fact, Unknown) else self.judge(fact)
        except Exception as error:  # noqa: BLE001 (servers may tell what nobody has foreseen)
            return [not_checked(f"the check itself failed ({type(error).__name__})")]


@dataclass(frozen=True, slots=True)
class Area:
    """Checks that belong together."""

    title: str
    checks: Sequence[Check[Any]]


def together(*parts: Any) -> tuple[Any, ...] | Unknown:
    """All of these facts, or the first of them that could not be had."""
    return next((part for part in parts if isinstance(part, Unknown)), parts)
