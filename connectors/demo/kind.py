"""The kind `demo`: writes a made-up data set to files under the home folder, then is read like any files."""

import glob
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from connectors.demo.files import TABLES, write_dataset
from connectors.files.kind import FilesSource
from connectors.source import Surroundings


class DemoSource(FilesSource):
    """A source that makes its own files; its tables follow from the data set."""

    dataset: Annotated[
        Literal["saas_subscriptions", "github_events"], Field(description="saas_subscriptions or github_events")
    ]
    scale: Annotated[int, Field(ge=1, le=100, description="a whole number from 1 to 100")] = 1
    seed: Annotated[int, Field(ge=0, description="a whole number")] = 1
    _folder: Path = PrivateAttr()

    @model_validator(mode="before")
    @classmethod
    def _own_tables(cls, values: Any, info: ValidationInfo) -> Any:
        if not isinstance(values, dict) or not isinstance(info.context, Surroundings):
            return values
        for key in ("tables", "root", "endpoint", "storage_options"):
            if key in values:
                raise PydanticCustomError("demo", f"has {key}, but the kind demo makes its own files; remove it")
        folder = _folder(info.context)
        tables = {
            name: {"path": f"{glob.escape(str(folder))}/{pattern}", "key": key}
            for name, (pattern, key) in TABLES.get(str(values.get("dataset")), {"none": ("none", "none")}).items()
        }
        return {**values, "tables": tables}

    @model_validator(mode="after")
    def _remember_folder(self, info: ValidationInfo) -> "DemoSource":
        if isinstance(info.context, Surroundings):
            self._folder = _folder(info.context)
        return self

    def prepare(self) -> None:
        """Write the files, unless they are there already."""
        write_dataset(self._folder, dataset=self.dataset, scale=self.scale, seed=self.seed)


def _folder(surroundings: Surroundings) -> Path:
    return surroundings.home / "demo" / surroundings.name
