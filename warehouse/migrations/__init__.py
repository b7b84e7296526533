"""Schema changes of `ops`, `app` and the roles, applied in order by Alembic and never edited once released."""
