"""An answer over HTTP has a bound, before anything is settled for it."""

from pathlib import Path

import orjson
import pytest
from joserfc.jwk import OKPKey
from pymongo import AsyncMongoClient

from pdp.binding_token import Binder
from pdp.decision import Effect, Obligation, Reason, Verdict
from pdp.errors import AnswerTooLarge
from pdp.http.answer_room import AnswerRoom
from pdp.http.decision import answered
from pdp.http.denial import Liftable
from pdp.process.mongod import MongodProcess
from pdp.turns import Turns
from pdp.workflow.answer import Answer, Ask, Decided
from tests.parts import asking, payload, placet
from tests.pdp.specimens import BOT, REQUEST, verdict
from tests.web import evaluate, evaluate_all, question

LONG = 'package policy\n\nallow contains {"rule": "all", "reason": "%s"} if input.action.name == "read"\n'
ODD = '\x01"é𝒳' * 50
FIRED = {name: (Reason("a.b", ODD), Reason("c", "d")) for name in ("deny", "needs_approval", "allow", "obligation")}


async def test_answer_that_would_be_too_large_is_refused_before_anything_is_decided(
    state: Path, mongod: MongodProcess, tmp_path: Path
) -> None:
    (tmp_path / "p.rego").write_text(LONG % ("x" * 20_000))
    async with placet(state, mongod.uri, policy=[tmp_path]) as server, AsyncMongoClient(mongod.uri) as client:
        body = question() | {"evaluations": [{"context": {"at": at}} for at in range(600)]}
        refused = await evaluate_all(server, body)
        assert (refused.status, refused.json["reason"]) == (429, "ANSWER_TOO_LARGE")
        fewer = await evaluate_all(server, body | {"evaluations": body["evaluations"][:300]})
        assert [one["decision"] for one in fewer.json["evaluations"]] == [True] * 300
        assert (await evaluate(server, question())).json["decision"] is True
        batches = client[server.database]["batches"].find({"marks": "decision"})
        records = [payload(record) async for batch in batches for record in batch["records"]]
        assert [record["kind"] for record in records].count("decision") == 301


@pytest.mark.parametrize("effect", list(Effect))
async def test_what_is_known_before_is_never_less_than_what_is_told(effect: Effect) -> None:
    duty = Obligation("duty", ODD, "mask", {"columns": [ODD, 1.0], "to": {ODD: None}})
    liftable = Liftable(
        Binder(OKPKey.generate_key("Ed25519", auto_kid=True), "dev"), "https://pdp.example/access/v1/requests"
    )
    ask, ignored = Ask(asking(), BOT, REQUEST, 0), ["x" * 100] * 64
    for judged in (verdict(effect), verdict(effect, obligations=(duty,) * 3, fired=FIRED)):
        decided = Decided(ask, answer(judged))
        told = len(orjson.dumps(answered(decided, ignored, liftable.told(decided))))
        with pytest.raises(AnswerTooLarge):
            await AnswerRoom(liftable.endpoint, [ignored], Turns(), told - 1).require([ask], [judged])


def test_answer_that_grew_while_it_was_settled_is_an_error_in_its_place() -> None:
    room = AnswerRoom("", [()] * 3, Turns(), 5000)
    small, large = {"decision": True, "context": {}}, {"decision": True, "context": {"reason": "x" * 4000}}
    assert orjson.loads(room.all([small, large]))["evaluations"] == [small, large]
    told = orjson.loads(room.all([small, large, large, small]))["evaluations"]
    assert [one["decision"] for one in told] == [True, False, False, True]
    assert told[1]["context"]["error"]["reason"] == "ANSWER_TOO_LARGE"
    with pytest.raises(AnswerTooLarge):
        room.one({"decision": True, "context": {"reason": "x" * 5000}})


def answer(judged: Verdict) -> Answer:
    return Answer(judged, "dec_" + "0" * 32, ())
