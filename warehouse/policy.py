"""The tenant policy: for each mart, whose rows it holds, and which of its columns are not for everybody.

Every door that serves rows reads this one policy; how a door applies it is the door's own business.
"""

import hashlib
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from warehouse.checked_yaml import read_checked
from warehouse.errors import DataInsightError

POLICY_FILE = Path(__file__).with_name("policy.yaml")

ColumnName = Annotated[str, StringConstraints(min_length=1)]


class MartPolicy(BaseModel):
    """Whose rows one mart holds, and who sees which of its columns.

    Attributes:
        organization_column: The column with the organization that owns the row; None where no single one does.
        shared: Every organization may read every row.
        internal: No organization may read any row; analysts and the platform itself may.
        personal: Columns about persons: an organization sees those of its own rows, analysts see masks.
        hidden_from_tenants: Columns that no organization sees, not even of its own rows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    organization_column: ColumnName | None = None
    shared: bool = False
    internal: bool = False
    personal: tuple[ColumnName, ...] = ()
    hidden_from_tenants: tuple[ColumnName, ...] = ()

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if [self.organization_column is not None, self.shared, self.internal].count(True) != 1:
            raise ValueError("say one of `organization_column: <column>`, `shared: true` and `internal: true`")
        if self.shared and self.personal:
            raise ValueError("a shared mart has no personal columns: every organization would see them")
        if self.internal and self.hidden_from_tenants:
            raise ValueError("an internal mart is hidden from every organization as a whole")
        if self.organization_column in {*self.personal, *self.hidden_from_tenants}:
            raise ValueError(f"{self.organization_column} says whose a row is, so it is neither personal nor hidden")
        for columns in (self.personal, self.hidden_from_tenants):
            if len(set(columns)) < len(columns):
                raise ValueError(f"a column is named twice: {', '.join(columns)}")
        return self

    @property
    def rule(self) -> dict[str, Any]:
        """What it says, as JSON without what it does not say."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Policy(BaseModel):
    """The policy of every mart, by the mart's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marts: dict[str, MartPolicy]

    @cached_property
    def version(self) -> str:
        """A short name of exactly these rules."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def mart(self, name: str) -> MartPolicy:
        """The policy of one mart.

        Raises:
            DataInsightError: The policy does not know the mart, so nobody may read it.
        """
        if name not in self.marts:
            raise DataInsightError(
                f"the table {name} is not in the tenant policy, so it is served to nobody",
                hint=f"add {name} to {POLICY_FILE.name} with its organization column, or as shared, or as internal",
            )
        return self.marts[name]


@cache
def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Read and check the policy file.

    Raises:
        DataInsightError: The file is not a policy; the message names the mart.
    """
    return read_checked(
        path,
        Policy,
        called="the tenant policy",
        hint="each mart says one of `{organization_column: <column>}`, `{shared: true}`, `{internal: true}`,"
        " and may add `personal: [<columns>]` and `hidden_from_tenants: [<columns>]`",
    )
