"""The demo company: the same for everyone, in the layouts of the real files, with as many defects as it says."""

import csv
import gzip
import hashlib
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from connectors.config import load_sources
from connectors.demo.defects import planted_defects
from connectors.demo.files import TABLES, write_dataset
from connectors.demo.subscriptions import HEADERS
from connectors.inspection import check

FIRST = {
    "accounts": "6c4783d85593e57e",
    "subscriptions": "ea8f299e658baede",
    "feature_usage": "1c2cb20f72896f47",
    "support_tickets": "d9783200bb53d598",
    "churn_events": "6ff96f33f58db3e3",
}


def write(folder: Path, dataset: str, scale: int = 1, seed: int = 1) -> Path:
    write_dataset(folder, dataset=dataset, scale=scale, seed=seed)
    return folder


def digest(folder: Path) -> dict[str, str]:
    """File names and digests of what the files say."""
    return {
        path.name: hashlib.sha256(
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.iterdir())
    }


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def day(text: str) -> date:
    return moment(f"{text} 00:00").date()


def moment(text: str) -> datetime:
    return datetime.strptime(f"{text} +0000", "%d-%m-%Y %H:%M %z")


@pytest.mark.parametrize("dataset", TABLES)
def test_the_same_scale_and_seed_make_the_same_files(tmp_path: Path, dataset: str) -> None:
    first, second = digest(write(tmp_path / "a", dataset)), digest(write(tmp_path / "b", dataset))
    assert first == second
    assert digest(write(tmp_path / "c", dataset, seed=2)) != first


def test_the_files_are_the_same_on_every_machine(tmp_path: Path) -> None:
    """A digest written down once; change it together with GENERATOR_VERSION."""
    together = [digest(write(tmp_path / dataset, dataset)) for dataset in TABLES]
    summary = hashlib.sha256(orjson.dumps(together, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert summary == "655fb805fc7919ee70a62c31dc82abe5d82390b0b380d4dcb17df6e0b1fadce5"


def test_files_are_written_once_and_anew_for_another_scale(tmp_path: Path) -> None:
    folder = write(tmp_path / "saas", "saas_subscriptions")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    write(folder, "saas_subscriptions")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    write(folder, "saas_subscriptions", scale=2)
    assert len(rows_of(folder, "accounts")) == 604
    assert [path.name for path in tmp_path.iterdir()] == ["saas"]


def test_the_layouts_are_those_of_the_real_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "saas", "saas_subscriptions")
    content = (folder / "subscriptions.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfsubscription_id,account_id,start_date")
    assert content.count(b"\r\n") == content.count(b"\n")
    assert {table: len(rows_of(folder, table)) for table in HEADERS} == {
        "accounts": 302, "subscriptions": 1505, "feature_usage": 12_023, "support_tickets": 803, "churn_events": 253,
        "invoices": 4576, "dashboards": 906, "opportunities": 1007,
    }  # fmt: skip


def test_subscription_defects_are_as_many_as_promised(tmp_path: Path) -> None:
    folder = write(tmp_path / "saas", "saas_subscriptions", scale=2)
    planted = planted_defects("saas_subscriptions", 2)
    usages = [tuple(row.values()) for row in rows_of(folder, "feature_usage")]
    whole = [row for row in usages if None not in row]
    distinct = set(whole)
    by_id = Counter(row[0] for row in distinct if row[0])
    assert len(usages) - len(whole) == planted["feature_usage"]["unreadable_line"]
    assert len(whole) - len(distinct) == planted["feature_usage"]["identical_duplicates"]
    assert sum(count for count in by_id.values() if count > 1) == planted["feature_usage"]["unique_usage_id"]
    assert sum(not row[0] for row in whole) == planted["feature_usage"]["usage_id_present"]
    assert sum(row[2].startswith("31-02") for row in whole) == planted["feature_usage"]["usage_date_is_a_date"]
    assert sum(not row[4].isdigit() for row in whole) == planted["feature_usage"]["usage_count_is_a_count"]
    amounts = [row["mrr_amount"] for row in rows_of(folder, "subscriptions")]
    assert sum(not amount.isdigit() for amount in amounts) == planted["subscriptions"]["mrr_amount_is_an_amount"]


def test_the_tables_that_were_there_first_are_as_they_were(tmp_path: Path) -> None:
    """Digests written down before the other tables came; a new table takes nothing from the dice of the old ones."""
    made = digest(write(tmp_path / "saas", "saas_subscriptions"))
    assert {name: made[f"{name}.csv"][:16] for name in FIRST} == FIRST


def test_invoices_are_those_that_the_subscriptions_give(tmp_path: Path) -> None:
    folder = write(tmp_path / "saas", "saas_subscriptions")
    subscriptions = {row["subscription_id"]: row for row in rows_of(folder, "subscriptions")}
    planted = planted_defects("saas_subscriptions", 1)["invoices"]
    wrong, billed = Counter[str](), Counter[str]()
    distinct = {tuple(row.items()) for row in rows_of(folder, "invoices")}
    for row in map(dict, distinct):
        subscription = subscriptions[row["subscription_id"]]
        months = 12 if subscription["billing_frequency"] == "annual" else 1
        issued, due, paid = day(row["issued_date"]), day(row["due_date"]), day(row["paid_date"] or "31-12-9999")
        started, ended = day(subscription["start_date"]), day(subscription["end_date"] or "31-12-9999")
        assert row["account_id"] == subscription["account_id"]
        assert Decimal(row["subtotal_usd"]) == Decimal(subscription["mrr_amount"]) * months > 0
        assert started <= issued < ended
        assert months == 1 or (issued.month, issued.day) == (started.month, started.day)
        assert paid >= issued
        assert (paid <= date(2024, 12, 31)) == (row["status"] == "paid")
        assert row["status"] != "overdue" or due < date(2024, 12, 31)
        wrong["invoice_id_present"] += not row["invoice_id"]
        wrong["due_not_before_issued"] += due < issued
        wrong["currency_is_usd"] += row["currency"] != "USD"
        if row["tax_usd"] == "n/a":
            wrong["tax_usd_is_an_amount"] += 1
        else:
            total = Decimal(row["subtotal_usd"]) + Decimal(row["tax_usd"])
            wrong["total_is_subtotal_and_tax"] += Decimal(row["total_usd"]) != total
        billed[row["subscription_id"]] += 1
    assert wrong + Counter(identical_duplicates=4576 - len(distinct)) == planted
    trials = {key for key, row in subscriptions.items() if row["is_trial"] == "TRUE"}
    assert not trials & billed.keys()


def test_defects_of_dashboards_and_opportunities_are_as_many_as_promised(tmp_path: Path) -> None:
    folder = write(tmp_path / "saas", "saas_subscriptions", scale=2)
    planted = planted_defects("saas_subscriptions", 2)
    accounts = {row["account_id"] for row in rows_of(folder, "accounts")}

    dashboards = rows_of(folder, "dashboards")
    distinct = {tuple(row.values()) for row in dashboards}
    assert {row["account_id"] for row in dashboards} <= accounts
    assert Counter(
        dashboard_id_present=sum(not row[0] for row in distinct),
        updated_not_before_created=sum(moment(row[4]) < moment(row[3]) for row in distinct),
        widget_count_is_a_count=sum(not row[6].isdigit() for row in distinct),
        identical_duplicates=len(dashboards) - len(distinct),
    ) == Counter(planted["dashboards"])

    opportunities = rows_of(folder, "opportunities")
    closed = [row for row in opportunities if row["is_closed"] == "TRUE"]
    assert {row["account_id"] for row in opportunities} <= accounts
    assert Counter(
        opportunity_id_present=sum(not row["opportunity_id"] for row in opportunities),
        amount_usd_is_an_amount=sum(not row["amount_usd"].isdigit() for row in opportunities),
        probability_from_0_to_1=sum(float(row["probability"]) > 1 for row in opportunities),
        closed_has_its_day=sum(not row["closed_date"] for row in closed),
        closed_not_before_created=sum(
            day(row["closed_date"]) < day(row["created_date"]) for row in closed if row["closed_date"]
        ),
        won_is_closed=sum(row["is_won"] > row["is_closed"] for row in opportunities),
    ) == Counter(planted["opportunities"])
    first = [row for row in opportunities if row["kind"] == "new"]
    assert len({row["account_id"] for row in first}) == len(first) == 600
    assert {row["is_won"] for row in first} == {"TRUE"}


def test_event_defects_and_organizations_are_as_promised(tmp_path: Path) -> None:
    folder = write(tmp_path / "github", "github_events")
    accounts = {row["account_id"] for row in rows_of(write(tmp_path / "saas", "saas_subscriptions"), "accounts")}
    planted = planted_defects("github_events", 1)["events"]
    events, broken = [], 0
    for path in folder.glob("*.jsonl.gz"):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            try:
                events.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                broken += 1
    assert len(list(folder.glob("*.jsonl.gz"))) == 72
    assert broken == planted["unreadable_line"]
    assert sum(not event["id"] for event in events) == planted["id_present"]
    assert sum("T25" in event["created_at"] for event in events) == planted["created_at_is_a_moment"]
    texts = Counter(orjson.dumps(event) for event in events)
    assert len(events) - len(texts) == planted["identical_duplicates"]
    organizations = {
        event["org"]["login"] if "org" in event else event["repo"]["name"].split("/")[0] for event in events
    }
    assert organizations <= accounts
    assert 0.6 < sum("org" in event for event in events) / len(events) < 0.8


def test_demo_sources_make_their_files_when_they_are_landed(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text("sources:\n  github:\n    kind: demo\n    dataset: github_events\n")
    [source] = load_sources(path, tmp_path / "home")
    assert not (tmp_path / "home").exists()
    source.prepare()
    assert (tmp_path / "home" / "demo" / "github" / "2024-03-04-0.jsonl.gz").is_file()


def test_a_home_with_glob_characters_is_found(tmp_path: Path) -> None:
    home = tmp_path / "home [1]"
    sources = tmp_path / "sources.yaml"
    sources.write_text("sources: {saas: {kind: demo, dataset: saas_subscriptions}}\n")
    [source] = load_sources(sources, home)
    assert {table["files"] for table in check(source)} == {1}
