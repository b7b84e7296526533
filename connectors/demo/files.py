"""Writes a demo data set to files, in the layouts of the real ones; all of them appear at once or not at all."""

import csv
import gzip
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from connectors.demo.events import EventLog
from connectors.demo.subscriptions import HEADERS, SubscriptionCompany

# Goes up whenever other data would be written for the same scale and seed.
GENERATOR_VERSION = 2

# Data set → table → which files it is made of, and its key.
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "saas_subscriptions": {
        "accounts": ("accounts.csv", "account_id"),
        "subscriptions": ("subscriptions.csv", "subscription_id"),
        "feature_usage": ("feature_usage.csv", "usage_id"),
        "support_tickets": ("support_tickets.csv", "ticket_id"),
        "churn_events": ("churn_events.csv", "churn_event_id"),
        "invoices": ("invoices.csv", "invoice_id"),
        "dashboards": ("dashboards.csv", "dashboard_id"),
        "opportunities": ("opportunities.csv", "opportunity_id"),
    },
    "github_events": {"events": ("*.jsonl.gz", "id")},
}

_STAMP = "generated.json"


def write_dataset(folder: Path, *, dataset: str, scale: int, seed: int) -> None:
    """Write the files of a data set into `folder`, unless they are there for this scale and seed.

    Args:
        folder: Where; what another scale or seed wrote there is replaced.
        dataset: `saas_subscriptions` or `github_events`.
        scale: How many times the company of 300 customers.
        seed: Which company.
    """
    stamp = {"dataset": dataset, "scale": scale, "seed": seed, "generator_version": GENERATOR_VERSION}
    if _stamp_of(folder) == stamp:
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        if dataset == "saas_subscriptions":
            _write_subscriptions(fresh, SubscriptionCompany(scale, seed))
        else:
            _write_events(fresh, EventLog(scale, seed))
        (fresh / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
        _replace(folder, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _stamp_of(folder: Path) -> Any:
    try:
        return json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _replace(folder: Path, fresh: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        folder.rename(old / folder.name)
        shutil.rmtree(old)
    fresh.rename(folder)
    # What a killed process left half written is in nobody's way, but nobody needs it either.
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _write_subscriptions(folder: Path, company: SubscriptionCompany) -> None:
    for table, header in HEADERS.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            file.write(f"{header}\r\n")
            csv.writer(file).writerows(company.rows(table))


def _write_events(folder: Path, log: EventLog) -> None:
    for hour, name in enumerate(log.file_names()):
        with (folder / name).open("wb") as file, _gzipped(file) as zipped:
            for line in log.lines(hour):
                zipped.write(line + b"\n")


def _gzipped(file: io.BufferedWriter) -> gzip.GzipFile:
    """Gzip without a name or a time in it, so that the same lines make the same file."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
