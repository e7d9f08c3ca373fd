from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.bench import Options, begin, bench
from eval.compare import compare
from eval.datasets.corpus import CorpusFile
from eval.datasets.load import load
from eval.datasets.sampling import sample
from eval.judge.score import Score, Verdict
from eval.measures import choose
from eval.metrics.ranking import evaluate, mean
from eval.system import Cited, Filled, Found, FoundHit, Given, IndexedChunk
from rag.errors import BadRequest, Unavailable

N = 12


class WordSystem:
    """Finds documents by shared words, two passages a document; stops working after `fails_after` searches."""

    def __init__(self, fails_after: int | None = None, worse: bool = False, index: str = "i") -> None:
        self.texts: dict[str, str] = {}
        self.fails_after, self.worse, self.index = fails_after, worse, index
        self.asked: list[str] = []

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        for file in files:
            self.texts[file.name] = file.path.read_text(encoding="utf-8")
            on_file()
        return Filled(len(files), 2 * len(files), 0, 0.1, fingerprint=self.index)

    def search(self, question: str, top_k: int) -> Found:
        self.asked.append(question)
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise Unavailable("gone")
        wanted = set(question.split())
        scores = {name: len(wanted & set(text.split())) for name, text in self.texts.items()}
        ordered = sorted(scores, key=lambda name: (-scores[name], name), reverse=self.worse)
        hits = [FoundHit(name, f"{name}.{part}", scores[name], (part + 1,)) for name in ordered for part in (0, 1)]
        return Found(tuple(hits[:top_k]))

    def chunks(self, document: str) -> list[IndexedChunk]:
        text = self.texts.get(document, "")
        return [IndexedChunk(f"{document}.{part}", "text", text, (part + 1,)) for part in (0, 1)] if text else []

    def answer(self, question: str, top_k: int) -> Given:
        if "unknown" in question:
            return Given("not in these documents", True)
        best = self.search(question, 1).hits[0]
        return Given(f"It says: {self.texts[best.document]} [1].", False, ((best.document, 1), (best.document, 9)))

    def describe(self) -> dict[str, Any]:
        return {"worse": self.worse}

    def close(self) -> None: ...


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    folder.mkdir()
    documents = [json.dumps({"_id": f"d{n}", "title": f"t{n}", "text": f"word{n} same"}) for n in range(N)]
    queries = [json.dumps({"_id": f"q{n}", "text": f"word{n} same"}) for n in range(N)]
    (folder / "corpus.jsonl").write_text("\n".join(documents), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"q{n}\td{n}\t1\nq{n}\td{(n + 1) % N}\t2\n" for n in range(N)))
    return folder


def test_shape_and_figures(beir: Path, tmp_path: Path) -> None:
    result = bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")
    assert list(result) == ["dataset", "metrics", "latency_ms", "config", "index"]
    assert result["dataset"] == "set"
    assert {"ndcg@10", "recall@10", "map", "mrr@10"} <= set(result["metrics"])
    assert {"p50", "p95"} <= set(result["latency_ms"])
    assert result["metrics"]["mrr@10"] == 1.0
    assert result["index"]["documents"] == N
    # The figures are those of the run as it was written down.
    lines = [json.loads(line) for line in (tmp_path / "run" / "questions.jsonl").read_text().splitlines()]
    # The served order counts, also where scores are equal.
    run = {line["id"]: {doc: -rank for rank, (doc, _) in enumerate(line["documents"])} for line in lines}
    again = mean(evaluate(load(beir).documents, run, ["ndcg@10", "map"]))
    assert again == pytest.approx({name: result["metrics"][name] for name in again}, abs=1e-6)


def test_a_document_stands_where_its_best_passage_stands(beir: Path, tmp_path: Path) -> None:
    bench(WordSystem(), load(beir).first(1), cache=tmp_path, out=tmp_path / "run")
    record = json.loads((tmp_path / "run" / "questions.jsonl").read_text())
    assert [document for document, _ in record["documents"]][:2] == ["d0", "d1"]
    assert [hit["document"] for hit in record["hits"]][:3] == ["d0", "d0", "d1"]
    assert len(record["documents"]) == N


def test_killed_run_resumes_and_equals_an_uninterrupted_one(beir: Path, tmp_path: Path) -> None:
    whole = bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "whole")
    with pytest.raises(Unavailable):
        bench(WordSystem(fails_after=6), load(beir), cache=tmp_path / "cache")
    (folder,) = (tmp_path / "cache" / "runs").iterdir()
    # A kill in the middle of a line
    with (folder / "questions.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "q7", "quest')
    system = WordSystem()
    resumed = bench(system, load(beir), cache=tmp_path / "cache")
    assert resumed["config"]["run"] == str(folder)
    assert len(system.asked) == 1 + N - 5
    assert resumed["metrics"] == whole["metrics"]
    assert len((folder / "questions.jsonl").read_text().splitlines()) == N
    # A finished run is not overwritten by the next one.
    assert bench(WordSystem(), load(beir), cache=tmp_path / "cache")["config"]["run"] != str(folder)


def test_a_folder_belongs_to_one_configuration(beir: Path, tmp_path: Path) -> None:
    bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")
    with pytest.raises(BadRequest, match="other questions"):
        bench(WordSystem(worse=True), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")
    with pytest.raises(BadRequest, match="holds no run"):
        bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=beir)


def test_a_changed_index_is_another_run(beir: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        bench(WordSystem(fails_after=6), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")
    with pytest.raises(BadRequest, match="documents or code"):
        bench(WordSystem(index="j"), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")


def test_a_run_tells_what_it_was_made_with(beir: Path, tmp_path: Path) -> None:
    bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "run")
    head = json.loads((tmp_path / "run" / "run.json").read_text())
    assert head["index"]["fingerprint"] == "i"
    assert head["config"]["code"]["version"]
    assert (head["config"]["seed"], head["config"]["depth"]) == (0, 100)
    assert set(head["environment"]) == {"python", "platform", "cpus", "load"}
    assert set(head["timings"]) == {"ingest", "questions", "resumed"}
    record = json.loads((tmp_path / "run" / "questions.jsonl").read_text().splitlines()[0])
    assert record["documents_judged"] == {"d0": 1, "d1": 2}
    assert (record["language"], record["at_once"]) == ("en", 1)
    assert record["stages"]["hits"]["gold"] == 1


def test_several_at_once_find_the_same(beir: Path, tmp_path: Path) -> None:
    alone = bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "alone")
    options = Options(at_once=4)
    together = bench(WordSystem(), load(beir), cache=tmp_path / "cache", out=tmp_path / "together", options=options)
    assert together["metrics"] == alone["metrics"]
    assert together["latency_ms"]["at_once"] == 4
    assert "at_once" not in alone["latency_ms"]
    # What was begun with several at once goes on with one: nothing that is found depends on it.
    with pytest.raises(Unavailable):
        bench(WordSystem(fails_after=6), load(beir), cache=tmp_path, out=tmp_path / "both", options=options)
    both = bench(WordSystem(), load(beir), cache=tmp_path, out=tmp_path / "both")
    assert both["metrics"] == alone["metrics"]
    assert "at_once" not in both["latency_ms"]


def test_an_error_ends_a_run_of_several_at_once(beir: Path, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="gone"):
        bench(WordSystem(fails_after=5), load(beir), cache=tmp_path, out=tmp_path / "run", options=Options(at_once=3))
    assert len((tmp_path / "run" / "questions.jsonl").read_text().splitlines()) <= 5


def test_more_measures(beir: Path, tmp_path: Path) -> None:
    options = Options(measures=choose(["ndcg@3", "chrf"]))
    result = bench(WordSystem(), load(beir), cache=tmp_path, out=tmp_path / "run", options=options)
    assert result["metrics"]["ndcg@3"] <= 1
    with pytest.raises(BadRequest, match="'ndgc@3'"):
        choose(["ndgc@3"])


def test_a_sample_is_drawn_by_the_seed(beir: Path) -> None:
    whole = load(beir)
    first, again, other = (sample(whole, 5, seed) for seed in (1, 1, 2))
    assert [q.id for q in first.questions] == [q.id for q in again.questions]
    assert [q.id for q in first.questions] != [q.id for q in other.questions]
    assert len(first.questions) == 5
    assert sample(whole, 99, 0) is whole


def test_answers_pages_and_abstention(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("apple pie", encoding="utf-8")
    (folder / "b.txt").write_text("blue sky", encoding="utf-8")
    records = [
        {"id": 1, "question": "apple", "answer": "apple pie", "source": "a.txt", "page": [2, 9]},
        {"id": 2, "question": "unknown price", "answer": "n/a", "source": None},
        {"id": 3, "question": "unknown sky", "answer": "blue", "source": "b.txt", "page": 7},
    ]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    system = WordSystem()
    result = bench(system, load(folder), cache=tmp_path / "cache", out=tmp_path / "run", answers=True)
    metrics = result["metrics"]
    assert result["usage"] == {"prompt": 0, "completion": 0}
    assert metrics["source_hit@5"] == 1.0
    assert metrics["page_hit@5"] == 0.5
    assert metrics["citation_page_precision"] == 0.5
    assert metrics["answer_recall"] == pytest.approx(2 / 3, abs=1e-6)
    assert metrics["exact_match"] == pytest.approx(1 / 3, abs=1e-6)
    assert metrics["abstention_recall"] == 1.0
    assert metrics["abstention_precision"] == 0.5


def test_boxes_that_answers_cite_are_measured_against_labelled_ones(tmp_path: Path) -> None:
    class Pointing(WordSystem):
        def answer(self, question: str, top_k: int) -> Given:
            cited = Cited("a.txt", 1, "a.txt.0", 1, "apple", True, ((1, 0, 0, 10, 20), (2, 0, 0, 5, 5)))
            return replace(super().answer(question, top_k), cited=(cited,))

    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("apple pie", encoding="utf-8")
    pieces = [{"source": "a.txt", "box": [1, 0, 0, 10, 10]}, {"source": "a.txt", "box": [3, 0, 0, 10, 10]}]
    (folder / "questions.jsonl").write_text(json.dumps({"id": 1, "question": "apple", "evidence": pieces}))
    result = bench(Pointing(), load(folder), cache=tmp_path / "cache", out=tmp_path / "run", answers=True)
    metrics = {name: value for name, value in result["metrics"].items() if name.startswith("citation_box")}
    # 200 + 25 square points are shown, 100 of them labelled; nothing is on page 3.
    assert metrics["citation_box_iou"] == pytest.approx((100 / 225 + 0) / 2, abs=1e-6)
    assert metrics["citation_box_cover"] == 0.5
    assert (metrics["citation_box_precision"], metrics["citation_box_recall"]) == (0, 0)


def test_compare(beir: Path, tmp_path: Path) -> None:
    for name, worse in (("good", False), ("bad", True)):
        bench(WordSystem(worse=worse), load(beir), cache=tmp_path / "cache", out=tmp_path / name)
    found = compare(tmp_path / "bad", tmp_path / "good")
    row = found["metrics"]["ndcg@10"]
    assert row["difference"] == pytest.approx(row["b"] - row["a"], abs=2e-6)
    assert row["difference"] > 0.3
    assert row["interval"][0] > 0
    assert row["p"] <= row["p_holm"] < 0.05
    assert row["better"] + row["worse"] + row["same"] == found["questions"] == N
    assert found["same_labels"]
    same = compare(tmp_path / "good", tmp_path / "good", measures=["map"])["metrics"]
    assert (same["map"]["difference"], same["map"]["p"], list(same)) == (0, 1.0, ["map"])
    with pytest.raises(BadRequest, match="do not both have"):
        compare(tmp_path / "good", tmp_path / "bad", measures=["bleu"])
    with pytest.raises(BadRequest, match="holds no run"):
        compare(tmp_path / "good", beir)


def test_a_judge_is_asked_about_what_was_said(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text("apple pie", encoding="utf-8")
    records = [
        {"id": 1, "question": "apple", "answer": "apple pie", "source": "a.txt"},
        {"id": 2, "question": "unknown price", "answer": "n/a", "source": None},
    ]
    (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    asked: list[tuple[str, str, Sequence[str], Sequence[str]]] = []

    def judge(question: str, answer: str, passages: Sequence[str], expected: Sequence[str]) -> dict[str, Score]:
        asked.append((question, answer, passages, expected))
        return {"faithfulness": Score(0.5, (Verdict("it is a pie", True), Verdict("of plums", False)))}

    options = Options(answers=True, measures=choose(["judge"]))
    run = begin(WordSystem(), load(folder), cache=tmp_path, out=tmp_path / "run", options=options, judge=judge)
    run.ask(load(folder).questions)
    assert run.finish()["metrics"]["faithfulness"] == 0.5
    assert [(question, list(expected)) for question, _, _, expected in asked] == [("apple", ["apple pie"])]
    record = json.loads((tmp_path / "run" / "questions.jsonl").read_text().splitlines()[0])
    assert record["answer"]["judge"]["faithfulness"]["verdicts"] == [["it is a pie", True], ["of plums", False]]
