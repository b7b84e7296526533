"""An answer and its JSON shape: columns, rows, what it stands on, how long it took."""

from dataclasses import asdict, dataclass
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

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values: days and moments as ISO texts, decimals as numbers."""
        return {**orjson.loads(self.kept.json), "trust": self.trust.to_dict(), "timing": asdict(self.timing)}

    def to_json(self) -> bytes:
        """The same as text; what does not change from one time to the next is written once."""
        around = orjson.dumps({"trust": self.trust.to_dict(), "timing": asdict(self.timing)})
        return self.kept.json[:-1] + b"," + around[1:]
