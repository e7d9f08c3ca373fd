"""The service as a model of mteb: its interface over a fake system, and a whole task over the real service where mteb is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from api.settings import load as load_settings
from eval.datasets.corpus import FileCorpus, TextCorpus
from eval.datasets.load import load
from eval.datasets.model import Dataset, Question
from eval.external.mteb import Retriever, retrieval_task
from eval.runner import run
from eval.system import Filled, Found, FoundHit
from rag.errors import BadRequest

TEXTS = {
    "a/1": "The Heron telescope has a mirror of 2.4 metres.",
    "b": "云岭茶园在2025年采摘了三百公斤春茶。",
    "c": "The vector index can be rebuilt from the library.",
}
ROWS = [{"id": id_, "title": "", "text": text} for id_, text in TEXTS.items()]


class Fake:
    """Finds the documents in the order of their names, each twice."""

    closed = False

    def __init__(self, failures: tuple[tuple[str, str], ...] = ()) -> None:
        self.files: list[Any] = []
        self.failures = failures
        self.asked: list[tuple[str, int]] = []

    def fill(self, files: Any, on_file: Any) -> Filled:
        self.files = list(files)
        return Filled(len(files), len(files), 0, 0.0, self.failures)

    def search(self, question: str, top_k: int) -> Found:
        self.asked.append((question, top_k))
        hits = [FoundHit(file.name, str(n), -float(n)) for n, file in enumerate([*self.files, *self.files])]
        return Found((FoundHit("not of this corpus.txt", "x", 9.0), *hits))

    def close(self) -> None:
        self.closed = True


def test_documents_stand_where_their_best_passage_stands(tmp_path: Path) -> None:
    system = Fake()
    retriever = Retriever(lambda digest: system, tmp_path, "1")  # type: ignore[arg-type,return-value]
    retriever.index(ROWS, task_metadata=None, hf_split="test", hf_subset="default", encode_kwargs={}, num_proc=None)
    asked = [
        {"id": "q", "text": "mirror?"},
        {"id": "r", "text": [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]},
    ]
    found = retriever.search(asked, top_k=2, task_metadata=None, encode_kwargs={})
    assert found == {"q": {"a/1": 1.0, "b": 0.5}, "r": {"a/1": 1.0, "b": 0.5}}
    assert system.asked == [("mirror?", 2), ("two", 2)]
    retriever.search(asked[:1], top_k=1000)
    assert system.asked[-1] == ("mirror?", 200)
    retriever.close()
    assert system.closed


def test_what_it_cannot_do_is_said(tmp_path: Path) -> None:
    retriever = Retriever(lambda digest: Fake((("c.txt", "no text"),)), tmp_path, "1")  # type: ignore[arg-type,return-value]
    with pytest.raises(BadRequest, match="Nothing is indexed"):
        retriever.search([], top_k=1)
    with pytest.raises(BadRequest, match=r"c\.txt: no text"):
        retriever.index(ROWS)
    with pytest.raises(BadRequest, match="has no text"):
        retriever.index([{"id": "1", "image": b""}])
    with pytest.raises(BadRequest, match="reranks"):
        retriever.search([], top_k=1, top_ranked={})
    with pytest.raises(BadRequest, match="about files"):
        retrieval_task(Dataset("set", (), {}, {}, FileCorpus(tmp_path, ())))


def test_a_set_is_a_task(tmp_path: Path) -> None:
    pytest.importorskip("mteb")
    questions = (Question("q", "mirror?"), Question("u", "unanswerable?", answerable=False))
    task = retrieval_task(Dataset("my set", questions, {"q": {"a/1": 2, "b": 0}}, {}, TextCorpus(Path(), TEXTS)))
    task.load_data()
    split = task.dataset["default"]["test"]
    assert split["queries"].to_list() == [{"id": "q", "text": "mirror?"}]
    assert split["corpus"]["id"] == list(TEXTS)
    assert split["relevant_docs"] == {"q": {"a/1": 2, "b": 0}}
    assert task.metadata.name == "tuwen-my-set"


@pytest.mark.slow
def test_mteb_and_our_bench_agree(tmp_path: Path) -> None:
    mteb = pytest.importorskip("mteb")
    folder = tmp_path / "set"
    folder.mkdir()
    corpus = [json.dumps({"_id": id_, "text": text}) for id_, text in TEXTS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(corpus), encoding="utf-8")
    # The second question is about another document than its words say: the measures are not all 1.
    queries = [{"_id": "q1", "text": "How large is the mirror?"}, {"_id": "q2", "text": "采摘了多少春茶？"}]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    (folder / "qrels.tsv").write_text("q1\ta/1\t1\nq2\tc\t1\n", encoding="utf-8")
    settings = load_settings(tmp_path / "own", {"encoder": {"kind": "hashing"}, "pictures": {"describer": "none"}})
    retriever = Retriever.local(settings, tmp_path / "cache")
    assert isinstance(retriever, mteb.SearchProtocol)
    result = mteb.evaluate(retriever, retrieval_task(load(folder)), cache=None)
    retriever.close()
    (scores,) = result.task_results[0].scores["test"]
    ours = run(folder, settings=settings, cache=tmp_path / "cache")
    assert ours["index"]["unchanged"] == 3, "both measure one index"
    assert 0 < ours["metrics"]["ndcg@10"] < 1
    for name, theirs in (("ndcg@10", "ndcg_at_10"), ("mrr@10", "mrr_at_10"), ("recall@10", "recall_at_10")):
        assert ours["metrics"][name] == pytest.approx(scores[theirs], abs=1e-5)
