"""The datasources of organizations: added, listed, changed, deleted, each change with its row in the audit log."""

import json
import secrets as random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from serving.datasources.kinds import destination, require_safe
from serving.datasources.secrets import kept, split
from serving.datasources.transactions import alone, begun
from serving.identity.actors import actors_as_told
from serving.identity.audit import write_down
from serving.identity.memberships import require_current
from serving.identity.principal import Principal
from serving.identity.refusals import ConflictError, NotFoundError
from warehouse.database import Warehouse
from warehouse.datasources import (
    HIDDEN,
    Datasource,
    Place,
    joined,
    list_datasources,
    rest_folder,
    sealed,
    unsealed,
    upload_folder,
)
from warehouse.errors import DataInsightError, UnavailableError
from warehouse.portions import ALL, Portion
from warehouse.reach import Reach
from warehouse.settings import Settings

MOST_DATASOURCES = 100
_LARGEST_BYTES = 256 * 1024
_ID_BYTES = 8


def new_id() -> str:
    """The id of a datasource to be, which is also the name that its rows land under."""
    return f"ds_{random.token_hex(_ID_BYTES)}"


@dataclass(frozen=True)
class Datasources:
    """The datasources as somebody may see and change them.

    Attributes:
        actor: Who; those of other organizations are not there for them.
        request_id: The request they do it in.
    """

    settings: Settings
    warehouse: Warehouse
    actor: Principal
    request_id: str | None = None

    def listed(self, organization: str | None = None, portion: Portion = ALL) -> list[Datasource]:
        """Those of the actor's organization; an operator's: all, or those of the one that is named."""
        with begun(self.warehouse) as connection:
            if self.actor.is_operator:
                self._note(connection, "datasources.read", organization)
            whose = self.actor.organization_id or organization
            return self._as_told(connection, list_datasources(connection, organization=whose, portion=portion))

    def get(self, datasource_id: str) -> Datasource:
        """One of them.

        Raises:
            NotFoundError: There is none of that id, or it is another organization's.
        """
        with begun(self.warehouse) as connection:
            found = self._found(connection, datasource_id)
            if self.actor.is_operator:
                self._note(connection, "datasources.read", found.organization_id, {"datasource_id": datasource_id})
            return found

    def add(self, organization: str, name: str, kind: str, configuration: dict[str, Any]) -> Datasource:
        """Add one; nothing is asked of it yet.

        Raises:
            DataInsightError: Something of its configuration may not be.
            ConflictError: The organization has as many as it may.
        """
        shown, secrets = self._checked(kind, configuration)
        with alone(self.warehouse, organization):
            return self._insert(new_id(), organization, name, kind, shown, secrets)

    def add_uploaded(self, datasource_id: str, organization: str, name: str, table: str, settings: Any) -> Datasource:
        """Add one whose first file was uploaded, by whoever is alone with the organization.

        Raises:
            ConflictError: The organization has as many as it may.
        """
        return self._insert(
            datasource_id, organization, name, "files", {"tables": {table: settings}}, {}, is_uploaded=True
        )

    def note_upload(self, datasource_id: str, table: str, settings: dict[str, Any], sha256: str) -> Datasource:
        """Note that another file was uploaded to one, of a table that it has or not.

        Raises:
            NotFoundError: See `get`.
        """
        with begun(self.warehouse) as connection:
            require_current(connection, self.actor)
            found = self._found(connection, datasource_id, to_change=True)
            tables = found.configuration["tables"]
            connection.execute(
                sa.text(
                    "update app.datasources set configuration = :configuration, updated_at = now()"
                    " where datasource_id = :datasource_id"
                ).bindparams(sa.bindparam("configuration", type_=JSONB)),
                {
                    "configuration": {"tables": {**tables, table: {**tables.get(table, {}), **settings}}},
                    "datasource_id": datasource_id,
                },
            )
            details = {"datasource_id": datasource_id, "table": table, "sha256": sha256}
            self._note(connection, "datasources.upload", found.organization_id, details)
            return self._found(connection, datasource_id)

    def change(self, datasource_id: str, name: str | None, configuration: dict[str, Any] | None) -> Datasource:
        """Call it something else, or read it otherwise; `***` keeps a secret that was there.

        Raises:
            NotFoundError: See `get`.
            DataInsightError: Something of the new configuration may not be; or it would send the kept secrets somewhere
                else; or its files were uploaded, and have no configuration to be given.
            UnavailableError: Somebody else has changed it at the same moment.
        """
        with begun(self.warehouse) as connection:
            require_current(connection, self.actor)
            former = self._found(connection, datasource_id)
        # In no transaction: the hosts that it names are looked up, by name servers that may take their time.
        anew = {} if configuration is None else self._changed(former, configuration)
        with begun(self.warehouse) as connection:
            require_current(connection, self.actor)
            current = self._found(connection, datasource_id, to_change=True)
            if anew and current != former:
                raise UnavailableError(
                    "the datasource was changed at the same moment", hint="look at it, and try again"
                )
            given: dict[str, Any] = {"datasource_id": datasource_id, "name": name or current.name}
            given |= {"configuration": current.configuration, "sealed": current.secrets_encrypted, **anew}
            connection.execute(
                sa.text(
                    "update app.datasources set name = :name, configuration = :configuration,"
                    " secrets_encrypted = :sealed, updated_at = now() where datasource_id = :datasource_id"
                ).bindparams(sa.bindparam("configuration", type_=JSONB)),
                given,
            )
            changed = [what for what, value in (("name", name), ("configuration", configuration)) if value is not None]
            details = {"datasource_id": datasource_id, "changed": changed}
            self._note(connection, "datasources.change", current.organization_id, details)
            return self._found(connection, datasource_id)

    def delete(self, datasource_id: str) -> None:
        """Delete one, with its credentials, its waiting jobs and the files that were uploaded; what has landed stays.

        Raises:
            NotFoundError: See `get`.
        """
        with begun(self.warehouse) as connection:
            require_current(connection, self.actor)
            found = self._found(connection, datasource_id, to_change=True)
            whose = {"datasource_id": datasource_id}
            connection.execute(
                sa.text(
                    "update app.datasources set deleted_at = now(), secrets_encrypted = null"
                    " where datasource_id = :datasource_id"
                ),
                whose,
            )
            connection.execute(
                sa.text(
                    "update app.jobs set status = 'failed', ended_at = now(),"
                    """ result = '{"detail": "the datasource was deleted"}'"""
                    " where datasource_id = :datasource_id and status = 'queued'"
                ),
                whose,
            )
            self._note(connection, "datasources.delete", found.organization_id, whose)
        home = self.settings.home
        for folder in (upload_folder(home, found.organization_id, datasource_id), rest_folder(home, datasource_id)):
            shutil.rmtree(folder, ignore_errors=True)

    def _changed(self, former: Datasource, configuration: dict[str, Any]) -> dict[str, Any]:
        if former.is_uploaded:
            raise DataInsightError("the files of this datasource were uploaded; only its name can be changed")
        shown, secrets = self._checked(former.kind, configuration, former)
        return {
            "configuration": shown,
            "sealed": sealed(self.settings, former.datasource_id, secrets) if secrets else None,
        }

    def _checked(
        self, kind: str, configuration: dict[str, Any], former: Datasource | None = None
    ) -> tuple[dict[str, Any], dict[Place, Any]]:
        """What of a configuration is shown, and its secrets, those included that it keeps of a former one."""
        shown, found = split(configuration)
        size = len(json.dumps([shown, [str(value) for value in found.values()]]))
        if size > _LARGEST_BYTES:
            raise DataInsightError(f"configuration has more than {_LARGEST_BYTES:,} bytes")
        keeps = former if HIDDEN in found.values() else None
        old = {} if keeps is None else unsealed(self.settings, keeps)
        secrets = kept(found, old)
        whole = joined(shown, secrets)
        if keeps is not None and destination(kind, whole) != destination(kind, joined(keeps.configuration, old)):
            raise DataInsightError(
                "the credentials of this datasource would go elsewhere than before",
                hint="give them again, in the place of every ***; they are not sent to a place they were not given for,"
                " and whatever stands beside them may say where that is",
            )
        require_safe(kind, whole, Reach(self.settings.source_networks))
        return shown, secrets

    def _insert(
        self,
        datasource_id: str,
        organization: str,
        name: str,
        kind: str,
        shown: dict[str, Any],
        secrets: Mapping[Place, Any],
        *,
        is_uploaded: bool = False,
    ) -> Datasource:
        with begun(self.warehouse) as connection:
            require_current(connection, self.actor)
            if len(list_datasources(connection, organization=organization)) >= MOST_DATASOURCES:
                raise ConflictError(
                    f"the organization has {MOST_DATASOURCES} datasources", hint="delete one that is not used"
                )
            connection.execute(
                sa.text(
                    "insert into app.datasources (datasource_id, organization_id, name, kind, configuration,"
                    " secrets_encrypted, is_uploaded, created_by) values (:datasource_id, :organization, :name, :kind,"
                    " :configuration, :sealed, :is_uploaded, :created_by)"
                ).bindparams(sa.bindparam("configuration", type_=JSONB)),
                {
                    "datasource_id": datasource_id,
                    "organization": organization,
                    "name": name,
                    "kind": kind,
                    "configuration": shown,
                    "sealed": sealed(self.settings, datasource_id, secrets) if secrets else None,
                    "is_uploaded": is_uploaded,
                    "created_by": self.actor.subject,
                },
            )
            details = {"datasource_id": datasource_id, "kind": kind, "name": name}
            self._note(connection, "datasources.add", organization, details)
            return self._found(connection, datasource_id)

    def _found(self, connection: sa.Connection, datasource_id: str, *, to_change: bool = False) -> Datasource:
        if to_change:
            connection.execute(
                sa.text("select 1 from app.datasources where datasource_id = :id for update"), {"id": datasource_id}
            )
        found = list_datasources(connection, organization=self.actor.organization_id, datasource_id=datasource_id)
        if not found:
            raise NotFoundError("there is no such datasource", hint="GET /api/v1/datasources lists yours")
        return self._as_told(connection, found)[0]

    def _as_told(self, connection: sa.Connection, found: list[Datasource]) -> list[Datasource]:
        told = actors_as_told(connection, self.actor, (one.created_by for one in found))
        return [replace(one, created_by=told[one.created_by]) for one in found]

    def _note(
        self, connection: sa.Connection, action: str, organization: str | None, details: Mapping[str, Any] | None = None
    ) -> None:
        write_down(
            connection,
            self.actor.subject,
            action,
            organization_id=organization,
            details=details,
            request_id=self.request_id,
        )
