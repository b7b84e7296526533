"""What the ledger keeps of each rule that a batch was judged by."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from quality.suite import Expectation, Severity

Status = Literal["passed", "failed", "warned"]


@dataclass(frozen=True)
class Check:
    """One rule's outcome on one batch: an entry of `ops.batches.checks`.

    Attributes:
        failed_rows: How many rows broke the rule; 0 for rules that are not about rows.
        detail: What a reader needs beyond the description, if anything.
    """

    name: str
    description: str
    severity: Severity
    owner: str
    status: Status
    failed_rows: int = 0
    detail: str | None = None

    @classmethod
    def of(cls, rule: Expectation, *, kept: bool, failed_rows: int = 0, detail: str | None = None) -> Self:
        """The outcome of a suite's rule."""
        status = status_of(rule.severity, kept=kept)
        return cls(rule.name, rule.description, rule.severity, rule.owner, status, failed_rows, detail)

    def to_dict(self) -> dict[str, Any]:
        """The entry as the ledger keeps it; `detail` only where there is one."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @property
    def refuses(self) -> bool:
        """Whether this outcome refuses the whole batch."""
        return self.severity == "batch" and self.status == "failed"


def status_of(severity: Severity, *, kept: bool) -> Status:
    """A kept rule passes; a broken one fails, or only warns."""
    if kept:
        return "passed"
    return "warned" if severity == "warn" else "failed"
