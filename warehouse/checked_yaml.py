"""Files of YAML that say what a model allows, or are refused with the place of the mistake."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from warehouse.errors import DataInsightError

Model = TypeVar("Model", bound=BaseModel)


def read_checked(path: Path, model: type[Model], *, called: str, hint: str) -> Model:
    """Read and check a file.

    Args:
        path: The file.
        model: What it may say.
        called: What the file is called in an error.
        hint: What is allowed.

    Raises:
        DataInsightError: It cannot be used; the message names the place.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        else:
            reason = str(error).splitlines()[0]
        raise DataInsightError(f"{called} {path} is not usable: {reason}", hint=hint) from error
