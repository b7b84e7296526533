"""Loads a user's module and calls its function; whatever goes wrong in it is told by file, line and reason."""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from connectors.extraction.request import RefusedError
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from dlt.extract import DltResource


@contextmanager
def telling_where(module: str, folder: Path) -> Iterator[None]:
    """Turn an error of the user's code into one line that names where it is.

    Args:
        module: What the configuration calls it.
        folder: Where the configuration is; code under it, or in the module's own file, is the user's.

    Raises:
        DataInsightError: In place of any other error.
    """
    try:
        yield
    except (DataInsightError, RefusedError):
        raise
    except Exception as error:
        reason = _first_cause(error)
        place = _place(reason, module, folder) or _place(error, module, folder) or module
        said = " ".join(str(reason).split())[:500]
        raise DataInsightError(
            f"{place}: {type(reason).__name__}: {said}", hint="nothing of this load counts; --debug shows the traceback"
        ) from error


def resources_of(module: str, function: str, arguments: Mapping[str, Any], folder: Path) -> "dict[str, DltResource]":
    """What the function gives, as dlt resources by name.

    Args:
        module: A path to a file, relative to `folder`, or a dotted name.
        function: What to call there.
        arguments: What to call it with.

    Raises:
        DataInsightError: There is no such module or function, it fails, or gives something else.
    """
    loaded = _loaded(module, folder)
    found = getattr(loaded, function, None)
    if not callable(found):
        raise DataInsightError(
            f"{module} has no function {function}", hint="say under function what gives the resources"
        )
    with telling_where(module, folder):
        return {resource.name: resource for resource in _resources(found(**arguments), f"{module}: {function}")}


def _resources(given: Any, where: str) -> "Iterator[DltResource]":
    from dlt.extract import DltResource, DltSource

    match given:
        case DltSource():
            yield from given.resources.values()
        case DltResource():
            yield given
        case _ if hasattr(given, "__iter__") and not isinstance(given, str | bytes | Mapping):
            for item in given:
                yield from _resources(item, where)
        case _:
            raise DataInsightError(
                f"{where} gives a {type(given).__name__}, not dlt resources",
                hint="decorate what yields rows with @dlt.resource, and return one of them, a list, or a @dlt.source",
            )


def _loaded(module: str, folder: Path) -> ModuleType:
    if not module.endswith(".py"):
        try:
            with telling_where(module, folder):
                return importlib.import_module(module)
        except DataInsightError as error:
            if isinstance(error.__cause__, ModuleNotFoundError) and module.startswith(str(error.__cause__.name)):
                raise DataInsightError(
                    f"there is no module {module}", hint="is it installed? A file is named by its path, with .py"
                ) from None
            raise
    path = folder / Path(module).expanduser()
    if not path.is_file():
        raise DataInsightError(f"there is no file {path}", hint="module is relative to the file that configures it")
    # dlt looks a module up by its name; this one is in nobody's way, and the same in every run.
    name = f"datainsight_source_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DataInsightError(f"{path} is no Python module")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    with telling_where(module, folder):
        spec.loader.exec_module(loaded)
    return loaded


def _first_cause(error: BaseException) -> BaseException:
    """What dlt's wrapping of an error began with."""
    seen: set[int] = set()
    while (inner := error.__cause__ or error.__context__) is not None and id(inner) not in seen:
        seen.add(id(inner))
        if not type(error).__module__.startswith("dlt."):
            break
        error = inner
    return error


def _place(error: BaseException, module: str, folder: Path) -> str | None:
    """The innermost line of the user's code that the error went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    mine = {str((folder / module).resolve())}
    loaded = sys.modules.get(module)
    if loaded is not None and loaded.__file__:
        mine.add(loaded.__file__)
    places = [
        f"{frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if str(Path(frame.filename).resolve()) in mine
        or (Path(frame.filename).is_relative_to(folder) and "site-packages" not in frame.filename)
    ]
    return places[-1] if places else None
