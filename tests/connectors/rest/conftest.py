"""An API made of one function, a source over it, and what it extracts, without a database."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.extraction.request import Request
from connectors.extraction.spool import Portion, Spool
from connectors.rest.kind import RestSource
from connectors.secrets import redacting
from connectors.source import Surroundings
from tests.connectors.rest.vendor import Call, Reply, Server

pytest.register_assert_rewrite("tests.connectors.rest.vendor_run")

Answer = Callable[[Call], Reply]


class Answers(Server):
    """A server that answers with a function, or with replies in turn, the last one for ever."""

    def __init__(self, answer: Answer | list[Reply]) -> None:
        super().__init__()
        self._answer = answer

    def respond(self, call: Call) -> Reply:
        if isinstance(self._answer, list):
            return self._answer[min(len(self.calls), len(self._answer)) - 1]
        return self._answer(call)

    @property
    def paths(self) -> list[str]:
        return [call.path for call in self.calls]


@dataclass
class Extracted:
    """What a run read.

    Attributes:
        portions: By table.
        states: What the next run is handed.
    """

    portions: dict[str, Portion]
    states: dict[str, dict[str, Any]]

    def rows(self, table: str) -> list[dict[str, Any]]:
        return [row for batch in self.portions[table].read() for row in batch.to_pylist()]

    def column(self, column: str, table: str = "items") -> list[Any]:
        return [row.get(column) for row in self.rows(table)]


@dataclass
class Rest:
    """A source of kind `rest` over a server.

    Attributes:
        client: The definition's client, besides base_url.
        settings: What sources.yaml says, besides the definition.
    """

    server: Answers
    folder: Path
    tables: dict[str, Any]
    client: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> RestSource:
        definition = {"client": {"base_url": self.server.url, **self.client}, "tables": self.tables, **self.more}
        values = {"name": "api", "kind": "rest", "definition": definition, "back_off": "0.001 seconds", **self.settings}
        return RestSource.model_validate(values, context=Surroundings("api", self.folder, self.folder / "home"))

    def extract(self, states: dict[str, dict[str, Any]] | None = None, *, full_refresh: bool = False) -> Extracted:
        scratch = Path(tempfile.mkdtemp(dir=self.folder))
        (scratch / "kind").mkdir()
        spool = Spool(scratch / "spool")
        states = states or {}
        request = Request(None, self.folder / "home", scratch / "kind", full_refresh, states=states)  # type: ignore[arg-type]
        with redacting(self.source):
            self.source.extract(request, spool)
        portions = {portion.table: portion for portion in spool.portions}
        later = {
            name: portion.state for name, portion in portions.items() if portion.state is not None and portion.rows
        }
        return Extracted(portions, {**states, **later})


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Callable[..., Rest]]:
    """`rest(answer, endpoint)` is a source with the table `items` of that endpoint, or with `tables`."""
    with ExitStack() as stack:

        def build(answer: Answer | list[Reply], endpoint: dict[str, Any] | None = None, **more: Any) -> Rest:
            server = stack.enter_context(Answers(answer))
            tables = more.pop("tables", None) or {
                "items": {"key": "id", "endpoint": {"path": "/items", **(endpoint or {})}}
            }
            return Rest(server, tmp_path, tables, **more)

        yield build
