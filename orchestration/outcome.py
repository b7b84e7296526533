"""How a dbt build ended: each model, seed and test of it, and what that comes to."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class NodeOutcome:
    """How one model or test ended; `status` is dbt's own word."""

    unique_id: str
    status: str
    seconds: float
    message: str
    failures: int | None

    @property
    def kind(self) -> str:
        """`model`, `test`, `unit_test`, `seed` or `snapshot`."""
        return self.unique_id.partition(".")[0]


@dataclass(frozen=True)
class BuildOutcome:
    """Every node of one `dbt build`."""

    nodes: list[NodeOutcome] = field(default_factory=list)

    @property
    def models(self) -> int:
        """How many models were built."""
        return sum(node.kind in ("model", "seed", "snapshot") and node.status == "success" for node in self.nodes)

    @property
    def checks(self) -> dict[str, int]:
        """How many tests passed, warned and failed."""
        tests = [node.status for node in self.nodes if node.kind in ("test", "unit_test")]
        return {
            "passed": tests.count("pass"),
            "warned": tests.count("warn"),
            "failed": sum(status in ("fail", "error") for status in tests),
        }

    def failed(self) -> list[NodeOutcome]:
        """The nodes that failed, not those skipped because of them."""
        return [node for node in self.nodes if node.status in ("fail", "error", "runtime error")]
