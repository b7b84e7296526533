"""Which SQL makes each PostgreSQL type arrive whole: what ADBC has no Arrow type for is cast on the server."""

from collections.abc import Callable
from typing import Any

from connectors.database.relation import Column, Decoding

_AS_IS = {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "name", "bytea", "time"}
_DECODED: dict[str, Decoding] = {"date": "date", "timestamp": "moment", "timestamptz": "moment"}

_TYPES = """
select t.oid, t.typname, t.typtype, t.typcategory, n.nspname = 'pg_catalog', t.typlen
from pg_catalog.pg_type as t
inner join pg_catalog.pg_namespace as n on t.typnamespace = n.oid
where t.oid = any(%s)
"""
_NAMES = (
    "select pg_catalog.format_type(o, m) from unnest(%s::oid[], %s::int[]) with ordinality as u (o, m, p) order by p"
)


def describe(cursor: Any, quote: Callable[[str], str]) -> list[Column]:
    """The columns of the statement that `cursor` has just run.

    Domains arrive as their base type; so does an enum, a range or a type of an extension as its text.
    """
    found = [(item.name, item.type_code, item.precision, item.scale) for item in cursor.description]
    oids = [oid for _, oid, _, _ in found]
    cursor.execute(_TYPES, (oids,))
    types = {row[0]: row[1:] for row in cursor.fetchall()}
    modifiers = [_modifier(types[oid][0], precision, scale) for _, oid, precision, scale in found]
    cursor.execute(_NAMES, (oids, modifiers))
    names = [row[0] for row in cursor.fetchall()]
    return [
        _column(name, type_name, types[oid], quote(name), precision, scale)
        for (name, oid, precision, scale), type_name in zip(found, names, strict=True)
    ]


def _modifier(typname: str, precision: int | None, scale: int | None) -> int:
    """What the catalogue keeps beside the type: of numeric, digits and scale; the rest is not told by the driver."""
    if typname != "numeric" or precision in {None, 65_535} or scale is None:
        return -1
    return ((precision or 0) << 16 | (scale & 0x7FF)) + 4


def _column(
    name: str, type_name: str, found: tuple[Any, ...], quoted: str, precision: int | None, scale: int | None
) -> Column:
    typname, typtype, category, is_builtin, _ = found
    if is_builtin and typname == "numeric":
        is_declared = type_name != "numeric"
        return Column(
            name,
            type_name,
            f"{quoted}::text",
            "decimal",
            precision=precision if is_declared else None,
            scale=scale if is_declared else None,
            literal_type="numeric",
        )
    expression, decoding = f"{quoted}::text", "as_is"
    if is_builtin and typname in _AS_IS:
        expression = quoted
    elif is_builtin and typname in _DECODED:
        expression, decoding = quoted, _DECODED[typname]
    elif is_builtin and typname == "oid":
        expression = f"{quoted}::int8"
    elif is_builtin and typname == "money":
        expression, decoding = f"{quoted}::numeric::text", "decimal"
    elif category == "A" or typtype == "c":
        expression = f"to_json({quoted})::text"
    return Column(name, type_name, expression, decoding, literal_type=type_name)  # type: ignore[arg-type]
