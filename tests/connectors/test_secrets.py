"""What must not be shown is found in whatever is said: in errors, their causes and notes, and in what is recorded."""

import json
import traceback
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, SecretStr

from connectors.config import load_sources
from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from connectors.secret_config import hidden
from connectors.secrets import redacted, redacted_json, redacting, secret_texts, shows_secret
from tests.connectors.scripted import Shop, batch_of
from warehouse.database import Warehouse
from warehouse.errors import DataInsightError

PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----"


class Settings(BaseModel):
    url: SecretStr


def texts(secret: str) -> set[str]:
    return secret_texts(Settings(url=SecretStr(secret)))


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("postgresql://me:p[w@h:1/db", "p[w"),
        ("postgresql://me:pa#ss/wo?d@127.0.0.1/db", 'invalid port "pa#ss/wo?d"'),
        ("postgresql://me:p@hunter22@127.0.0.1/db", "could not translate host name hunter22@127.0.0.1"),
        ("postgresql://me:pw@h1:1,h2:2/db", "postgresql://me:pw@h1:1,h2:2/db"),
        ("mysql://me:p%40ss%2Fword@h/db", "p@ss/word"),
        ("https://TOKEN77@host/x", "user TOKEN77"),
        ("https://TOKEN77:x-oauth-basic@host/x", "user TOKEN77"),
        ("bigquery://project?credentials_base64=eyJhIjox+Q==", "eyJhIjox+Q=="),
        ("Endpoint=sb://x.net/;SharedAccessKeyName=Reader;SharedAccessKey=abc+/=", "the key abc+/="),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dgeheim12", "PWD geheim12"),
        ("https://hooks.slack.com/services/T0001/B0002/a1b2c3d4e5", "POST /services/T0001/B0002/a1b2c3d4e5: 404"),
        ("https://hooks.slack.com/services/T0001/B0002/a1b2c3d4e5", "no hook a1b2c3d4e5"),
        ("host=h password = hunter22", "hunter22"),
        (PEM, "kqhkiG9w0BAQEF"),
        (PEM.replace("\n", "\\n"), "kqhkiG9w0BAQEF"),
        (PEM, repr(PEM)),
        ("pa\"ss'wo\\rd", repr("pa\"ss'wo\\rd")),
        ("pa'ss", repr('"he said" pa\'ss')),
        ('pä"ss', json.dumps('pä"ss')),
        ('pä"ss', json.dumps('pä"ss', ensure_ascii=False)),
        ("päss", repr("päss".encode())),
        ("pa/ss wörd", "pa%2fss%20w%c3%b6rd"),
        ("pa/ss wörd", "pa/ss%20w%C3%B6rd"),
        ("pa\udc80ss", "pa\udc80ss"),
    ],
)
def test_a_secret_is_found_in_every_spelling(secret: str, said: str) -> None:
    assert any(text in said for text in texts(secret))
    assert "***" in redacted(said, texts(secret))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///shop.db",
        "sqlite:///data/a@b.db",
        "postgresql://localhost/x",
        "postgresql://me@localhost:5432/x?email=a@b.c",
        "postgresql://h1:5432,h2:5432/db",
        "postgresql://[::1]:5432/x",
        "http://127.0.0.1:9000",
        "https://oauth2.googleapis.com/token",
    ],
)
def test_a_url_with_nothing_to_hide_may_be_shown(url: str) -> None:
    assert texts(url) == set()


def test_host_user_and_database_may_be_shown() -> None:
    secrets = texts("postgresql://reader:s3cret@db.example.com:5432/shop?email=a@b")
    said = "reader cannot reach db.example.com:5432/shop"
    assert redacted(said, secrets) == said


@pytest.mark.parametrize("value", ["https://me:p[w@host/x", "https://TOKEN77@host/x", "https://host/x?sig=abcdef"])
def test_a_url_in_the_config_of_a_tap_is_hidden_for_what_it_holds(value: str) -> None:
    class Tap(BaseModel):
        config: dict[str, Any]

    class Info:
        context = None

    assert hidden({"place": value}, Info()) == {"place": SecretStr(value)}  # type: ignore[arg-type]
    assert hidden({"place": "https://host/x?id=1"}, Info()) == {"place": "https://host/x?id=1"}  # type: ignore[arg-type]


class TestErrors:
    settings = Settings(url=SecretStr("postgresql://me:hunter22@h/db"))

    def told(self, error: Exception) -> str:
        with pytest.raises(DataInsightError) as caught, redacting(self.settings):
            raise error
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
        return "".join(traceback.format_exception(caught.value))

    def test_a_note_is_looked_at(self) -> None:
        error = ValueError("no")
        error.add_note("the password was hunter22")
        assert "hunter22" not in self.told(error)

    def test_a_member_of_a_group_is_looked_at(self) -> None:
        group = ExceptionGroup("two", [ValueError("fine"), ExceptionGroup("one", [ValueError("hunter22")])])
        assert "hunter22" not in self.told(group)

    def test_a_context_that_is_not_the_cause_is_looked_at(self) -> None:
        error = ValueError("no")
        error.__context__ = ValueError("hunter22")
        error.__cause__ = ValueError("fine")
        assert "hunter22" not in self.told(error)

    def test_what_was_raised_is_not_kept(self) -> None:
        assert "DataInsightError: ValueError: no ***" in self.told(ValueError("no hunter22"))

    def test_an_error_without_a_secret_goes_on_as_it_is(self) -> None:
        error = ValueError("no")
        with pytest.raises(ValueError, match="no") as caught, redacting(self.settings):
            raise error
        assert caught.value is error


class TestVariables:
    @pytest.fixture
    def source(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("SHOP_TOKEN", "tok-12345678")
        monkeypatch.setenv("SHOP_HOST", "db.example.com")
        monkeypatch.setenv("SHOP_FOLDER", "/srv/exports/shop")
        monkeypatch.setenv("SHOP_REGION", "eu")
        path = tmp_path / "sources.yaml"
        path.write_text(
            "sources:\n"
            "  shop:\n"
            "    kind: database\n"
            "    url: postgresql://me:hunter22@${SHOP_HOST}/shop\n"
            "    tables:\n"
            "      orders:\n"
            "        query: >-\n"
            "          select * from f('${SHOP_TOKEN}', '${SHOP_FOLDER}') where region = '${SHOP_REGION}'\n"
            "  other: {kind: files, root: '${SHOP_TOKEN}', tables: {t: {path: x}}}\n"
        )
        return load_sources(path, tmp_path / "home")

    def test_a_variable_in_a_query_is_hidden_and_a_place_is_not(self, source: Any) -> None:
        shop, other = source
        origin = {
            "server": "db.example.com:5432/shop",
            "query": shop.tables["orders"].query,
            "deep": [{"hunter22": ("x hunter22", 1, None, True)}],
        }
        assert redacted_json(origin, secret_texts(shop)) == {
            "server": "db.example.com:5432/shop",
            "query": "select * from f('***', '/srv/exports/shop') where region = 'eu'",
            "deep": [{"hunter22": ["x ***", 1, None, True]}],
        }
        assert secret_texts(other) == set()

    def test_what_is_hidden_besides_is_neither_shown_nor_written(self, source: Any) -> None:
        assert "filled" not in repr(source[0])
        assert "filled" not in str(source[0].model_dump())

    def test_an_error_that_repeats_the_query_does_not_show_it(self, source: Any) -> None:
        with pytest.raises(DataInsightError) as caught, redacting(source[0]):
            raise DataInsightError("there is no function f('tok-12345678')")
        assert caught.value.message == "there is no function f('***')"


class TestInTheClear:
    @pytest.mark.parametrize(
        ("filled", "written", "shows"),
        [
            ("postgresql://postgres:postgres@h/postgres", "postgresql://postgres:${PW}@h/postgres", False),
            ("postgresql://me:hunter22@h/db", "postgresql://${USER}:hunter22@h/db", True),
            ("postgresql://me:pw@h/db", "postgresql://me:pw@h/db", True),
            ("sqlite:///shop.db", "sqlite:///shop.db", False),
            ("hunter22", "${PW}", False),
            ("a$b$cdef", "a$$b$$cdef", True),
            ("12345678", 12345678, True),
            (PEM, PEM, True),
        ],
    )
    def test_values_are_compared(self, filled: str, written: Any, *, shows: bool) -> None:
        assert shows_secret(Settings(url=SecretStr(filled)), {"a": [{"b": written}, None]}) is shows


class TestQuarantine:
    @pytest.fixture
    def shop(self, warehouse: Warehouse, tmp_path: Path) -> Shop:
        return Shop(warehouse, tmp_path / "home")

    def test_what_postgresql_cannot_hold_is_replaced(self, shop: Shop) -> None:
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders") as portion:
                portion.write(batch_of([{"id": 1}]))
                portion.set_aside({"re\0cord": {"id": ["a\0b", "c\ud800d", "\ud83d\ude00"], "n": float("nan")}})

        shop.land(script)
        [(payload,)] = shop.query("select payload from ops.quarantine")
        assert payload == {"re\ufffdcord": {"id": ["a\ufffdb", "c\ufffdd", "\U0001f600"], "n": "nan"}}

    def test_a_reason_too(self, shop: Shop) -> None:
        def script(_: Request, spool: Spool) -> None:
            with spool.portion("orders") as portion:
                portion.refuse("a\0b \udc80")

        [batch_id] = shop.land(script)
        assert shop.batch(batch_id).checks[0]["detail"] == "a\ufffdb \ufffd"


def test_an_error_of_the_warehouse_does_not_show_rows(warehouse: Warehouse) -> None:
    with warehouse.engine().connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
        connection.execute(sa.text("select 1 / 0, :told"), {"told": "row-of-somebody"})
    assert "row-of-somebody" not in str(caught.value)
