"""What one pass of the pipeline did, collected while it runs: stages and seconds, batches, models, snapshot."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from orchestration.outcome import BuildOutcome


def _silent(_line: str) -> None:
    """The progress of a run that nobody watches."""


@dataclass(frozen=True)
class State:
    """All that a published snapshot depends on.

    Attributes:
        admission_seq: The newest admission.
        project_version: A hash of the dbt project.
    """

    admission_seq: int
    project_version: str

    @property
    def fingerprint(self) -> str:
        """One short text for it."""
        return hashlib.sha256(f"{self.admission_seq} {self.project_version}".encode()).hexdigest()[:16]


@dataclass
class Report:
    """Filled in by the assets, read by the command.

    Attributes:
        progress: Called with one line whenever a stage begins.
        batch_ids: Batches that this pass recorded or judged.
        build: What dbt did; None when nothing was new.
        built: What the models were built from; None when a selection was built, or nothing.
        snapshot_id: What is served now; None when publishing was not reached.
        published: Whether this pass published it.
        errors: What stopped stages of the pass. Dagster keeps only their text, the user wants the hints too.
    """

    progress: Callable[[str], None] = _silent
    stages: list[dict[str, Any]] = field(default_factory=list)
    batch_ids: set[int] = field(default_factory=set)
    build: "BuildOutcome | None" = None
    built: State | None = None
    snapshot_id: int | None = None
    published: bool = False
    errors: list[DataInsightError] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str, line: str) -> Iterator[None]:
        """Time a stage; its seconds count even when it fails."""
        self.progress(line)
        started = time.perf_counter()
        try:
            yield
        except DataInsightError as error:
            self.errors.append(error)
            raise
        finally:
            self.stages.append({"stage": name, "seconds": round(time.perf_counter() - started, 2)})
