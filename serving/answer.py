"""An answer and its JSON shape: columns, rows, what it stands on, how long it took."""

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from serving.kept_answers import KeptAnswer
from serving.trust import Trust

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Timing:
    """Milliseconds spent; `cache` is `hit` when the rows were known already."""

    compile_ms: float
    execute_ms: float
    cache: str


@dataclass(frozen=True)
class Answer:
    """The answer to a metric query."""

    kept: KeptAnswer
    trust: Trust
    timing: Timing

    @property
    def table(self) -> "pa.Table":
        """Rows and columns, named as they were asked for."""
        return self.kept.table

    def page(self, start: int, size: int) -> "Answer":
        """The same with some of its rows only."""
        return replace(self, kept=self.kept.page(start, size))

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values: days and moments as ISO texts, decimals as numbers."""
        return {**orjson.loads(self.kept.json), "trust": self.trust.to_dict(), "timing": asdict(self.timing)}

    def to_json(self, **more: Any) -> bytes:
        """The same as text; what does not change from one time to the next is written once.

        Args:
            more: What else it says.
        """
        around = orjson.dumps({**more, "trust": self.trust.to_dict(), "timing": asdict(self.timing)})
        return self.kept.json[:-1] + b"," + around[1:]
