"""Which SQL makes each SQL Server type arrive whole: decimals, moments and what ConnectorX lacks go as text."""

from connectors.database.relation import Column, Decoding

_NUMBERS = {"bit", "smallint", "int", "bigint", "float", "real"}
_TEXTS = {"char", "varchar", "nchar", "nvarchar", "binary", "varbinary"}
_MOMENT = "convert(varchar(33), cast({} as datetime2(6)), 126)"
_MONEY = "cast(cast({} as decimal(19,4)) as varchar(50))"
_CAST: dict[str, tuple[str, Decoding]] = {
    "decimal": ("cast({} as varchar(50))", "decimal"),
    "numeric": ("cast({} as varchar(50))", "decimal"),
    "money": (_MONEY, "decimal"),
    "smallmoney": (_MONEY, "decimal"),
    "date": ("convert(varchar(10), {}, 23)", "date"),
    "datetime": (_MOMENT, "moment"),
    "smalldatetime": (_MOMENT, "moment"),
    "datetime2": (_MOMENT, "moment"),
    "datetimeoffset": (_MOMENT.format("{} at time zone 'UTC'") + " + 'Z'", "moment"),
    "time": ("convert(varchar(16), {}, 114)", "as_is"),
    "tinyint": ("cast({} as int)", "as_is"),
    "uniqueidentifier": ("lower(convert(varchar(36), {}))", "as_is"),
    "timestamp": ("cast({} as binary(8))", "as_is"),
    "rowversion": ("cast({} as binary(8))", "as_is"),
    "image": ("cast({} as varbinary(max))", "as_is"),
    "geography": ("{}.STAsText()", "as_is"),
    "geometry": ("{}.STAsText()", "as_is"),
    "hierarchyid": ("{}.ToString()", "as_is"),
    "sql_variant": ("cast({} as nvarchar(4000))", "as_is"),
}


def column_of(name: str, type_name: str, quoted: str, precision: int | None, scale: int | None) -> Column:
    """The column as it is to be read.

    Args:
        type_name: As the server writes it, such as `decimal(12,2)` or `datetime2(7)`.
        quoted: The column's name, quoted.
    """
    base = type_name.split("(", maxsplit=1)[0].strip().lower()
    if base in _NUMBERS | _TEXTS:
        return Column(name, type_name, quoted)
    pattern, decoding = _CAST.get(base, ("cast({} as nvarchar(max))", "as_is"))
    if "money" in base:
        precision, scale = 19, 4
    return Column(name, type_name, pattern.replace("{}", quoted), decoding, precision, scale)
