"""How a batch as a source gives it becomes one that can land: legal names, few types, text PostgreSQL can store."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.extraction.arrow_types import landing_type, to_landing
from connectors.extraction.request import RefusedError
from connectors.names import column_name, naming_problem

if TYPE_CHECKING:
    import pyarrow as pa

MAX_COLUMNS = 1_500  # PostgreSQL ends at 1,600, and landing adds its own.


@dataclass(frozen=True)
class Shaped:
    """A batch that can land, and how many of its texts held NUL characters, which PostgreSQL cannot store."""

    batch: "pa.RecordBatch"
    replaced_nuls: int


@dataclass(frozen=True)
class Shape:
    """The columns of batches of one schema, found once and applied to each.

    Attributes:
        found: The schema as the source gives it.
        names: The names in raw.
        schema: Names and types as they land.
    """

    found: "pa.Schema"
    names: list[str]
    schema: "pa.Schema"

    @classmethod
    def of(cls, found: "pa.Schema") -> "Shape":
        """The shape of a schema.

        Raises:
            RefusedError: Two names would be one column, a name is reserved, or there are too many.
        """
        import pyarrow as pa

        names = [column_name(header, place) for place, header in enumerate(found.names, start=1)]
        if len(names) > MAX_COLUMNS:
            raise RefusedError(f"it has {len(names):,} columns; {MAX_COLUMNS:,} are possible")
        if problem := naming_problem(found.names, names):
            raise RefusedError(problem)
        types = [landing_type(kind) for kind in found.types]
        return cls(found, names, pa.schema(list(zip(names, types, strict=True))))

    def fits(self, schema: "pa.Schema") -> bool:
        """Whether batches of `schema` have this shape."""
        return schema is self.found or bool(schema.equals(self.found))

    def apply(self, batch: "pa.RecordBatch") -> Shaped:
        """The batch as it lands."""
        import pyarrow as pa

        replaced = 0
        columns = []
        for column, target in zip(batch.columns, self.schema.types, strict=True):
            values: Any = to_landing(column)
            if pa.types.is_string(target) and (found := _nuls(values)):
                replaced += found
                values = pa.compute.replace_substring(values, "\0", "\N{REPLACEMENT CHARACTER}")
            columns.append(values)
        return Shaped(pa.RecordBatch.from_arrays(columns, schema=self.schema), replaced)


def _nuls(texts: Any) -> int:
    """How many texts hold a NUL; the bytes of all texts are looked through at once, which costs next to nothing."""
    import numpy as np
    from pyarrow import compute

    data = texts.buffers()[2]
    if not data or np.frombuffer(data, np.uint8).min() > 0:
        return 0
    return int(compute.sum(compute.match_substring(texts, "\0")).as_py() or 0)
