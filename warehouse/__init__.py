"""The ground every room stands on: settings, PostgreSQL, roles, the `ops` ledger and its migrations."""
