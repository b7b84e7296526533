"""Which names no landed table may have, whoever names it."""

# dlt takes no table by these names: on some systems no file may be called so.
RESERVED_TABLES = {"aux", "con", "nul", "prn", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
