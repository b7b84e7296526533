"""The tenant policy: for each mart, which column says whose row it is, or that everybody may read it.

Every door that serves rows reads this one policy; how a door applies it is the door's own business.
"""

from functools import cache
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from warehouse.errors import DataInsightError

POLICY_FILE = Path(__file__).with_name("policy.yaml")


class MartPolicy(BaseModel):
    """Whose rows one mart holds.

    Attributes:
        organization_column: The column with the organization that owns the row; None for a shared mart.
        shared: Every organization may read every row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    organization_column: str | None = None
    shared: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.shared == (self.organization_column is not None):
            raise ValueError("say either `organization_column: <column>` or `shared: true`")
        return self


class Policy(BaseModel):
    """The policy of every mart, by the mart's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marts: dict[str, MartPolicy]

    def mart(self, name: str) -> MartPolicy:
        """The policy of one mart.

        Raises:
            DataInsightError: The policy does not know the mart, so nobody may read it.
        """
        if name not in self.marts:
            raise DataInsightError(
                f"the table {name} is not in the tenant policy, so it is served to nobody",
                hint=f"add {name} to {POLICY_FILE.name} with its organization column, or as shared",
            )
        return self.marts[name]


@cache
def load_policy(path: Path = POLICY_FILE) -> Policy:
    """Read and check the policy file.

    Raises:
        DataInsightError: The file is not a policy; the message names the mart.
    """
    try:
        return Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        else:
            reason = str(error).splitlines()[0]
        raise DataInsightError(
            f"the tenant policy {path} is not usable: {reason}",
            hint="each mart is either `{organization_column: <column>}` or `{shared: true}`",
        ) from error
