"""The worked example of docs/connectors/rest.md, as it stands there."""

import re
from pathlib import Path

from connectors.extraction.request import Request
from connectors.extraction.spool import Spool
from connectors.rest.kind import RestSource
from connectors.source import Surroundings
from tests.connectors.rest.conftest import Answers
from tests.connectors.rest.vendor import Call, Reply
from warehouse.settings import PROJECT_ROOT


def answer(call: Call) -> Reply:
    if call.path == "/token":
        return Reply(200, {"access_token": "t", "expires_in": 60})
    if call.headers.get("Authorization") != "Bearer t":
        return Reply(401, {"message": "who are you?"})
    if call.path == "/api/v2/me":
        return Reply(200, {})
    if call.path == "/api/v2/topics":
        number = int(call.query.get("cursor", 1))
        topic = {"id": number, "title": f"Topic {number}", "updated_at": f"2024-05-0{number}T08:00:00Z"}
        return Reply(200, {"topics": [topic], "meta": {"next": number + 1 if number < 3 else None}})
    topic_id = call.path.split("/")[4]
    return Reply(200, {"posts": [{"id": 1, "text": f"on {topic_id}"}], "meta": {}})


def test_the_worked_example(tmp_path: Path) -> None:
    text = (PROJECT_ROOT / "docs" / "connectors" / "rest.md").read_text()
    [definition] = re.findall(r"```yaml\n# forum\.yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "forum.yaml").write_text(definition)
    with Answers(answer) as server:
        values = {
            "name": "forum",
            "kind": "rest",
            "definition": "forum.yaml",
            "parameters": {"site": "acme", "client_id": "app", "client_secret": "s3cret"},
            "base_url": server.url,
        }
        forum = RestSource.model_validate(values, context=Surroundings("forum", tmp_path, tmp_path))
        assert [row["problem"] for row in forum.check()] == [None, None]
        spool = Spool(tmp_path / "spool")
        forum.extract(Request(None, tmp_path, tmp_path), spool)  # type: ignore[arg-type]
    topics, posts = spool.portions
    assert sum(batch.num_rows for batch in topics.read()) == 3
    assert [row for batch in posts.read() for row in batch.to_pylist()] == [
        {"_topics_id": str(n), "_topics_title": f"Topic {n}", "id": "1", "text": f"on {n}"} for n in (1, 2, 3)
    ]
