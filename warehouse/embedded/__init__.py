"""The embedded PostgreSQL: a real server under the home folder, for machines that have none.

`server` is the door; `cluster` makes and starts it, `postmaster` tells whether it runs, `account` decides as
whom, `configuration` how, `binaries` with what. docs/embedded-postgresql.md explains all of it to users.
"""

from warehouse.embedded.server import EmbeddedServer, ServerStatus, running

__all__ = ["EmbeddedServer", "ServerStatus", "running"]
