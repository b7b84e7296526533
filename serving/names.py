"""What may be asked: metrics, dimensions and grains by the names a user may write, and nothing else.

Only names that come out of here ever reach MetricFlow or SQL.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from warehouse.errors import DataInsightError

METRIC_TIME = "metric_time"

# Two organizations may share a name, so the entity itself is meant: the id that also says whose rows are asked for. In
# the definitions `organization` leads to the version of an organization, and another entity tells the id alone.
ORGANIZATION = "organization"
ORGANIZATION_ID = "organization_id"

GRAINS = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Dimension:
    """Something metrics can be split by or filtered on.

    Attributes:
        name: Full name, `organization__country`; of an entity, the entity's name.
        kind: `categorical`, `time` or `entity`.
        model: The semantic model it is defined in.
        expression: The SQL expression of its value in that model's table.
        grain: The finest grain of a time dimension.
        defined_as: Its name in the definitions, where that is another.
    """

    name: str
    kind: str
    model: str
    expression: str
    grain: str | None = None
    defined_as: str | None = None

    @property
    def defined_name(self) -> str:
        """Its name in the definitions, by which MetricFlow knows it."""
        return self.defined_as or self.name

    @property
    def field(self) -> str:
        """Its name without the entities that lead to it."""
        return self.name.rpartition("__")[2]


@dataclass(frozen=True)
class GroupBy:
    """A dimension as it was asked for.

    Attributes:
        asked: The name the answer's column carries.
        dimension: What it is; None for `metric_time`.
        grain: How fine it is, when it is a time.
    """

    asked: str
    dimension: Dimension | None
    grain: str | None = None

    @property
    def column(self) -> str:
        """Its column in what MetricFlow makes."""
        base = METRIC_TIME if self.dimension is None else self.dimension.defined_name
        return f"{base}__{self.grain}" if self.grain else base


class Names:
    """The dimensions that some metrics have in common, by every name a user may write.

    Args:
        metrics: The metrics, for messages.
        dimensions: What they can be split by.
        base_grain: The finest grain of their own time.
    """

    def __init__(self, metrics: Iterable[str], dimensions: Iterable[Dimension], base_grain: str) -> None:
        self._metrics = ", ".join(metrics)
        self.dimensions = {dimension.name: dimension for dimension in dimensions}
        self.base_grain = base_grain

    @property
    def grains(self) -> list[str]:
        """The grains their time can have, finest first."""
        return list(GRAINS[GRAINS.index(self.base_grain) :])

    def group_by(self, asked: str, grain: str | None) -> GroupBy:
        """Resolve one name of `group_by`; a time may carry its grain, `metric_time__month`.

        Raises:
            DataInsightError: There is no such dimension or grain, or the name could mean several.
        """
        base, _, suffix = asked.rpartition("__")
        if suffix in GRAINS and base and asked not in self.dimensions:
            return self._timed(asked, base, suffix)
        return self._timed(asked, asked, grain if asked == METRIC_TIME else None)

    def _timed(self, asked: str, base: str, grain: str | None) -> GroupBy:
        dimension = None if base == METRIC_TIME else self.dimension(base, also=(METRIC_TIME,))
        if dimension is not None and dimension.kind != "time":
            if grain is not None:
                raise DataInsightError(f"{base} is not a time, so it has no grain {grain}")
            return GroupBy(asked, dimension)
        finest = self.base_grain if dimension is None else str(dimension.grain)
        allowed = GRAINS[GRAINS.index(finest) :]
        if grain is not None and grain not in allowed:
            raise DataInsightError(
                f"{self._metrics} by {base} cannot be told by {grain}; allowed are {', '.join(allowed)}"
            )
        return GroupBy(asked, dimension, grain or finest)

    def dimension(self, asked: str, *, also: Iterable[str] = ()) -> Dimension:
        """Resolve a dimension by its full name, a short one, its entity, or `<entity>_id`.

        Args:
            asked: The name.
            also: What else may be written there, for the message.

        Raises:
            DataInsightError: There is no such dimension, or the name could mean several.
        """
        known = self.dimensions
        for name in (asked if asked == ORGANIZATION else f"{asked}__name", asked):
            if name in known:
                return known[name]
        if asked.endswith("_id") and asked.removesuffix("_id") in known:
            return known[asked.removesuffix("_id")]
        found = [dimension for dimension in known.values() if dimension.field == asked]
        # The nearest one is meant: `organization__country` rather than `user__organization__country`.
        depth = min((dimension.name.count("__") for dimension in found), default=0)
        nearest = sorted(dimension.name for dimension in found if dimension.name.count("__") == depth)
        if len(nearest) > 1:
            raise DataInsightError(f"{asked} could be {' or '.join(nearest)}", hint="write the full name")
        if not nearest:
            raise unknown("dimension", asked, known.keys() | {*also}, of=self._metrics)
        return known[nearest[0]]


def unknown(kind: str, asked: str, allowed: Collection[str], *, of: str = "") -> DataInsightError:
    """The error for a name that does not exist, with the closest one that does."""
    short = {name.rpartition("__")[2]: name for name in sorted(allowed)}
    close = get_close_matches(asked, [*allowed, *short], n=1)
    closest = f"did you mean {short.get(close[0], close[0])}? " if close else ""
    return DataInsightError(
        f"there is no {kind} {asked!r}{f' of {of}' if of else ''}",
        hint=f"{closest}allowed: {', '.join(sorted(allowed))}",
    )
