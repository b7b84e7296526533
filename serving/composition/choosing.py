"""Top: the largest values of a dimension, and all others together, by a question of their own.

The others are never added up: a ratio or a count of different users is right only when it is computed from their rows.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from serving.composition.joining import Ask
from serving.composition.layout import is_other
from serving.query import Filter, MetricQuery, Top

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Choice:
    """The largest values of a dimension.

    Attributes:
        type: The type of its column.
        values: Those that are values.
        has_null: Whether rows without a value are among the largest, too.
    """

    top: Top
    type: "pa.DataType"
    values: tuple[Any, ...]
    has_null: bool

    @property
    def chosen(self) -> list[Filter]:
        """Conditions, each of which some of the largest meet, and together all of them."""
        among = [self._filter("in", self.values)] if self.values else []
        return among + ([self._filter("is_null")] if self.has_null else [])

    @property
    def others(self) -> tuple[Filter, ...]:
        """The conditions that everything else meets."""
        not_among = (self._filter("not_in", self.values),) if self.values else ()
        return not_among + ((self._filter("is_not_null"),) if self.has_null else ())

    def _filter(self, op: Any, values: tuple[Any, ...] = ()) -> Filter:
        # Not checked as what somebody asks is: a value that the rows have may be longer than one may ask for.
        return Filter.model_construct(dimension=self.top.dimension, op=op, values=values)


def choose(ask: Ask, query: MetricQuery, top: Top) -> Choice:
    """The values with the largest metric over the whole range of a question; of equal ones the first by name."""
    ranked = ask(
        query.model_copy(
            update={"group_by": (top.dimension,), "grain": None, "order_by": (f"-{top.by}",), "limit": top.n}
        )
    )
    found = ranked[top.dimension].to_pylist()
    # A decimal is written out: as a number of JSON it would not be exact.
    values = tuple(str(value) if isinstance(value, Decimal) else value for value in found if value is not None)
    return Choice(top, ranked.schema.field(top.dimension).type, values, None in found)


def rows_of_choice(ask: Ask, query: MetricQuery, choice: Choice) -> "pa.Table":
    """The answer to a question for the largest values, and for the others if they are wanted.

    Args:
        ask: Answers plain questions.
        query: The question, without order and limit.
        choice: The largest values.

    Returns:
        Its columns, with `<dimension>__is_other` if others are wanted; their dimension is null.
    """
    import pyarrow as pa

    tables = [_told(ask(_with(query, one)), choice, others=False) for one in choice.chosen]
    if choice.top.other:
        rest = _with(query, *choice.others)
        without = rest.model_copy(update={"group_by": tuple(n for n in query.group_by if n != choice.top.dimension)})
        # Over no rows at all a count is 0, which would look like others that there are none of.
        any_of_them = rest.model_copy(update={"group_by": (choice.top.dimension,), "grain": None, "limit": 1})
        if without.group_by or ask(any_of_them).num_rows:
            tables.append(_told(_placed(ask(without), query, choice), choice, others=True))
    if not tables:
        tables = [_told(ask(query).slice(0, 0), choice, others=False)]
    return pa.concat_tables(tables, promote_options="permissive")


def _with(query: MetricQuery, *filters: Filter) -> MetricQuery:
    return query.model_copy(update={"filters": (*query.filters, *filters)})


def _placed(table: "pa.Table", query: MetricQuery, choice: Choice) -> "pa.Table":
    """The rows of the others, with the column of the dimension, which they have no value of."""
    import pyarrow as pa

    field = pa.field(choice.top.dimension, choice.type)
    place = query.group_by.index(choice.top.dimension)
    return table.add_column(place, field, pa.nulls(table.num_rows, choice.type))


def _told(table: "pa.Table", choice: Choice, *, others: bool) -> "pa.Table":
    import pyarrow as pa

    if not choice.top.other:
        return table
    place = table.column_names.index(choice.top.dimension) + 1
    told = pa.array([others] * table.num_rows, pa.bool_())
    return table.add_column(place, is_other(choice.top.dimension), told)
