"""Generated questions about the marts, and the organizations that ask them."""

import random
from collections.abc import Iterator

SHOP = "online_retail"
# Names that are alike, names that need quoting, and plain ones.
ORGANIZATIONS = [
    SHOP,
    "acme",
    "ACME",
    "o'brien",
    'a"b',
    "株式会社",
    "100%",
    "a_b",
    "null",
    *(f"org{n}" for n in range(11)),
]


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


class Questions:
    """Questions about the marts, the same ones for the same seed; each has one answer, whatever the plan."""

    def __init__(self, columns: dict[str, dict[str, str]], seed: str) -> None:
        self._columns = columns
        self._random = random.Random(seed)

    def about(self, mart: str) -> Iterator[str]:
        """Without end."""
        kinds = [
            self._all, self._grouped, self._joined, self._outer_joined, self._correlated, self._lateral, self._windowed,
            self._cte, self._functions, self._foreign, self._prepared, self._cursor, self._set_operation, self._scalar,
        ]  # fmt: skip
        while True:
            yield self._random.choice(kinds)(mart)

    def _column(self, mart: str) -> str:
        return self._random.choice(list(self._columns[mart]))

    def _condition(self, mart: str, alias: str = "a") -> str:
        column = f"{alias}.{self._column(mart)}"
        other = literal(self._random.choice(ORGANIZATIONS))
        return self._random.choice(
            [
                "true", f"{column} is not null", f"{column}::text > '5'", f"{column}::text like '%a%'",
                f"length({column}::text) % 2 = 0", f"md5({column}::text) > '8'", f"{column}::text <> {other}",
                f"{column}::text = {other} or true", f"coalesce({column}::text, '') in ('', {other}, {column}::text)",
            ]
        )  # fmt: skip

    def _partner(self, mart: str) -> tuple[str, str]:
        """Another mart, and a condition that joins it."""
        shared = [
            (other, column)
            for other, columns in self._columns.items()
            for column, type_name in columns.items()
            if self._columns[mart].get(column) == type_name and column.endswith(("_id", "_key", "_day", "_date"))
        ]
        other, column = self._random.choice(shared)
        return other, f"a.{column} = b.{column}"

    def _row(self, mart: str, alias: str = "a") -> str:
        """All that may be read of a row, as one text; the row itself holds hidden columns too."""
        columns = ", ".join(f"{alias}.{column}" for column in self._columns[mart])
        return f'cast(row({columns}) as text) collate "C"'

    def _all(self, mart: str) -> str:
        columns = ", ".join(f"a.{column}" for column in self._columns[mart])
        return f"select {columns} from {mart} a where {self._condition(mart)} order by {self._row(mart)}"

    def _grouped(self, mart: str) -> str:
        by, of = self._column(mart), self._column(mart)
        return (
            f'select {by}::text, count(*), count(distinct {of}), min({of}::text collate "C"), max({self._row(mart)})'
            f" from {mart} a where {self._condition(mart)} group by {by} order by 1"
        )

    def _joined(self, mart: str) -> str:
        other, on = self._partner(mart)
        return (
            f"select count(*), count(distinct {self._row(mart)}), max({self._row(other, 'b')}) from {mart} a"
            f" join {other} b on {on} where {self._condition(mart)} and {self._condition(other, 'b')}"
        )

    def _outer_joined(self, mart: str) -> str:
        other, on = self._partner(mart)
        side = self._random.choice(["left", "right", "full"])
        return (
            f"select count(*), count(a.{self._column(mart)}), count(b.{self._column(other)}), max({self._row(mart)}),"
            f" min({self._row(other, 'b')}) from {mart} a {side} join {other} b on {on}"
        )

    def _correlated(self, mart: str) -> str:
        other, on = self._partner(mart)
        negated = self._random.choice(["", "not "])
        return (
            f"select {self._row(mart)} from {mart} a where {negated}exists"
            f" (select from {other} b where {on} and {self._condition(other, 'b')}) order by 1"
        )

    def _lateral(self, mart: str) -> str:
        other, on = self._partner(mart)
        return (
            f"select {self._row(mart)}, c.* from {mart} a cross join lateral"
            f" (select count(*) as n, max({self._row(other, 'b')}) as most from {other} b where {on}) c"
            f" where {self._condition(mart)} order by 1, 2, 3 limit 50"
        )

    def _windowed(self, mart: str) -> str:
        by = self._column(mart)
        return (
            f"select {by}::text, count(*) over (partition by {by}),"
            f" first_value({self._row(mart)}) over (partition by {by} order by {self._row(mart)})"
            f" from {mart} a order by 1, 2, 3 limit 100"
        )

    def _cte(self, mart: str) -> str:
        other, on = self._partner(mart)
        kind = self._random.choice(["materialized", "not materialized"])
        columns, others = (", ".join(self._columns[name]) for name in (mart, other))
        return (
            f"with a as {kind} (select {columns} from {mart} a where {self._condition(mart)}),"
            f" b as (select {others} from {other}) select count(*), max({self._row(mart)}) from a join b on {on}"
        )

    def _functions(self, mart: str) -> str:
        row = self._row(mart)
        return self._random.choice(
            [
                f"select json_agg({row} order by {row})::text from {mart} a",
                f"select string_agg({row}, '|' order by {row}) from {mart} a where {self._condition(mart)}",
                f"select word, ndoc from ts_stat('select to_tsvector(''simple'', {row}) from {mart} a') order by 1, 2",
                f"select array_length(array(select 1 from {mart}), 1), to_jsonb((select max({row}) from {mart} a))",
                f"select percentile_disc(0.5) within group (order by {row}), mode() within group (order by {row})"
                f" from {mart} a",
                f"select distinct regexp_split_to_table({row}, ',') from {mart} a order by 1",
            ]
        )

    def _foreign(self, mart: str) -> str:
        other = literal(self._random.choice([*ORGANIZATIONS, "foreign", "(unknown)"]))
        row, column = self._row(mart), self._column(mart)
        return self._random.choice(
            [
                f"select {row} from {mart} a where {column}::text = {other} order by 1",
                f"select count(*) from {mart} a where {column}::text = {other} and 1 / (length({row}) * 0 + 1) = 1",
                f"select {row} from {mart} a where {row} like '%' || {other} || '%' order by 1",
                f"select count(*) from {mart} a where {column}::text in (select {other} union select 'foreign')",
            ]
        )

    def _prepared(self, mart: str) -> str:
        plan = self._random.choice(["force_generic_plan", "force_custom_plan"])
        return (
            f"set plan_cache_mode = {plan}; deallocate all; prepare p (text) as select {self._row(mart)} from {mart} a"
            f" where {self._column(mart)}::text >= $1 order by 1; execute p('1')"
        )

    def _cursor(self, mart: str) -> str:
        return (
            f"close all; declare c cursor with hold for select {self._row(mart)} from {mart} a"
            f" where {self._condition(mart)} order by 1; fetch 20 from c"
        )

    def _set_operation(self, mart: str) -> str:
        other, _ = self._partner(mart)
        operation = self._random.choice(["union", "union all", "intersect", "except"])
        return (
            f"select {self._column(mart)}::text from {mart} a {operation}"
            f" select {self._column(other)}::text from {other} b order by 1 limit 100"
        )

    def _scalar(self, mart: str) -> str:
        other, _ = self._partner(mart)
        return (
            f"select (select count(*) from {mart} a where {self._condition(mart)}),"
            f" (select max({self._row(other, 'b')}) from {other} b),"
            f" exists (select from {mart} a where {self._condition(mart)})"
        )
