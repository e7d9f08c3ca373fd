"""Sweeps over a system that knows nothing but how good each setting is: what is chosen, confirmed, stopped and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.bench import Options
from eval.datasets.corpus import CorpusFile, TextCorpus
from eval.datasets.load import load
from eval.datasets.model import Dataset, Question
from eval.sweep.axes import Axis, check_axes, parse_axis, read_axes
from eval.sweep.cells import draw, grid, with_baseline
from eval.sweep.flow import Plan, sweep
from eval.sweep.halves import shuffled, split
from eval.sweep.halving import better_half, rungs
from eval.sweep.record import NAME, read_sweep
from eval.system import Filled, Found, FoundHit, Given, IndexedChunk
from rag.errors import BadRequest, BadSetting, Unavailable

N = 80
DEFAULTS = {"retrieval.k": 3, "ingest.size": 100}


class Ranked:
    """Puts the right document at the rank that the settings are worth, two ranks deeper for every third question."""

    def __init__(self, shop: Shop, settings: Mapping[str, Any]) -> None:
        self.shop, self.settings = shop, settings

    def fill(self, files: Sequence[CorpusFile], on_file: Callable[[], None]) -> Filled:
        self.shop.filled.append(self.settings["ingest.size"])
        return Filled(len(files), len(files), 0, 1.0, fingerprint=str(self.settings["ingest.size"]))

    def search(self, question: str, top_k: int) -> Found:
        self.shop.asked += 1
        if self.shop.fails_after is not None and self.shop.asked > self.shop.fails_after:
            raise Unavailable("gone")
        number = int(question.split()[-1])
        rank = abs(self.settings["retrieval.k"] - 7) + abs(self.settings["ingest.size"] - 200) // 100
        rank += 2 * (number % 3 == 0)
        others = [f"d{(number + step) % N}.txt" for step in range(1, 12)]
        names = [*others[:rank], f"d{number}.txt", *others[rank:]]
        return Found(tuple(FoundHit(name, f"{name}.0", 1 / (place + 1)) for place, name in enumerate(names[:top_k])))

    def answer(self, question: str, top_k: int) -> Given:
        raise AssertionError("not asked for")

    def chunks(self, document: str) -> list[IndexedChunk]:
        return [IndexedChunk(f"{document}.0", "text", document)]

    def describe(self) -> dict[str, Any]:
        return self.shop.describe(self.settings)

    def close(self) -> None: ...


class Shop:
    """A Workshop. A size above 900 cannot be run."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.fails_after, self.asked, self.opened = fails_after, 0, 0
        self.filled: list[int] = []
        self.closed = False

    def values(self, names: Iterable[str], changes: Mapping[str, Any]) -> dict[str, Any]:
        for name in [*names, *changes]:
            if name not in DEFAULTS:
                raise BadRequest(f"There is no setting `{name}`.")
        return {name: (DEFAULTS | dict(changes))[name] for name in names}

    def index(self, changes: Mapping[str, Any]) -> str:
        size = (DEFAULTS | dict(changes))["ingest.size"]
        if size > 900:
            raise BadSetting(f"chunks of {size}")
        return str(size)

    def describe(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        return {"settings": {}, "changes": DEFAULTS | dict(changes)}

    def open(self, changes: Mapping[str, Any]) -> Ranked:
        self.opened += 1
        return Ranked(self, DEFAULTS | dict(changes))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "set"
    folder.mkdir()
    corpus = [json.dumps({"_id": f"d{n}", "title": "", "text": f"text {n}"}) for n in range(N)]
    queries = [json.dumps({"_id": f"q{n}", "text": f"which is {n}"}) for n in range(N)]
    (folder / "corpus.jsonl").write_text("\n".join(corpus), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text("".join(f"q{n}\td{n}\t1\n" for n in range(N)))
    return load(folder)


def plan(**more: Any) -> Plan:
    axes = (Axis("retrieval.k", (1, 3, 5, 7)), Axis("ingest.size", (100, 200)))
    return Plan(**({"axes": axes, "metric": "mrr@10"} | more))


def run(dataset: Dataset, shop: Shop, given: Plan, folder: Path, **more: Any) -> dict[str, Any]:
    return sweep(dataset, shop, given, cache=folder / "cache", options=Options(), **({"out": folder / "sweep"} | more))


def test_the_best_of_a_grid_with_its_interval(dataset: Dataset, tmp_path: Path) -> None:
    shop = Shop()
    result = run(dataset, shop, plan(), tmp_path)
    assert result["axes"] == {"retrieval.k": [1, 3, 5, 7], "ingest.size": [100, 200]}
    best, baseline = (result["cells"][result[name]] for name in ("best", "baseline"))
    assert best["settings"] == {"retrieval.k": 7, "ingest.size": 200}
    assert baseline["settings"] == DEFAULTS
    # Rank 1, or 3 for every third question: (53 · 1 + 27 · 1/3) / 80.
    assert best["metrics"]["mrr@10"] == pytest.approx((53 + 27 / 3) / 80, abs=1e-6)
    # Rank 6 (4 for k, 1 for the size), or 8.
    assert baseline["metrics"]["mrr@10"] == pytest.approx((53 / 6 + 27 / 8) / 80, abs=1e-6)
    found = result["confirmed"]
    assert (
        found["difference"] == best["difference"] == pytest.approx((53 * 5 / 6 + 27 * (1 / 3 - 1 / 8)) / 80, abs=1e-6)
    )
    assert found["interval"][0] < found["difference"] < found["interval"][1]
    assert (found["on"], found["questions"], result["split"]) == ("all", N, None)
    assert found["p"] < 0.001
    # Each index was filled once, the baseline's first.
    assert shop.filled == [100] * 4 + [200] * 4
    assert shop.closed
    written = json.loads((tmp_path / "sweep" / NAME).read_text())
    assert {**written, "warnings": ()} == {name: value for name, value in result.items() if name != "folder"}
    # Each combination is an ordinary run.
    head = json.loads((Path(best["run"]) / "run.json").read_text())
    assert head["metrics"] == best["metrics"]


def test_a_split_chooses_on_one_side_and_reports_on_the_other(dataset: Dataset, tmp_path: Path) -> None:
    result = run(dataset, Shop(), plan(share=0.25, seed=3), tmp_path)
    assert result["split"] == {"share": 0.25, "by": "documents", "train": 20, "test": 60}
    for cell in result["cells"]:
        both = cell["train"]["metrics"]["mrr@10"] * 20 + cell["test"]["metrics"]["mrr@10"] * 60
        assert cell["metrics"]["mrr@10"] == pytest.approx(both / 80, abs=1e-5)
    scores = [cell["train"]["metrics"]["mrr@10"] for cell in result["cells"]]
    assert scores[result["best"]] == max(scores)
    best, base = (result["cells"][result[name]]["test"]["metrics"]["mrr@10"] for name in ("best", "baseline"))
    assert (result["confirmed"]["on"], result["confirmed"]["questions"]) == ("test", 60)
    assert result["confirmed"]["difference"] == pytest.approx(best - base, abs=1e-5)


def test_a_baseline_that_is_no_cell_becomes_one(dataset: Dataset, tmp_path: Path) -> None:
    result = run(dataset, Shop(), plan(axes=(Axis("retrieval.k", (5, 6)),)), tmp_path)
    assert [cell["settings"]["retrieval.k"] for cell in result["cells"]] == [3, 5, 6]
    assert result["axes"] == {"retrieval.k": [5, 6, 3]}
    assert (result["baseline"], result["best"]) == (0, 2)
    worse = run(dataset, Shop(), plan(axes=(Axis("retrieval.k", (1, 2)),)), tmp_path / "worse")
    assert worse["best"] == worse["baseline"] == 0
    assert worse["confirmed"] is None


def test_halving_stops_the_worse_half_and_never_mixes_its_figures(dataset: Dataset, tmp_path: Path) -> None:
    shop = Shop()
    result = run(dataset, shop, plan(halving=True), tmp_path)
    assert result["search"]["rungs"] == [20, 40, 80]
    best, baseline = (result["cells"][result[name]] for name in ("best", "baseline"))
    assert best["settings"] == {"retrieval.k": 7, "ingest.size": 200}
    stopped = [cell for cell in result["cells"] if "stopped" in cell]
    # Of 8 combinations 4 go on, then 2; the settings as they stand go on with them.
    assert sorted(cell["stopped"]["questions"] for cell in stopped) == [20, 20, 20, 40]
    for cell in stopped:
        assert (cell["metrics"], cell["train"], cell["interval"], cell["difference"]) == ({}, None, None, None)
        assert cell["questions"] == cell["stopped"]["questions"] < N
        assert 0 < cell["stopped"]["mrr@10"] < 1
        # An unfinished run: nothing in it is a figure of the whole set.
        assert "metrics" not in json.loads((Path(cell["run"]) / "run.json").read_text())
    # The settings as they stand are asked everything, however bad they are.
    assert baseline["questions"] == best["questions"] == N
    assert shop.asked < 8 * N


def test_a_combination_that_cannot_be_run_is_told(dataset: Dataset, tmp_path: Path) -> None:
    result = run(dataset, Shop(), plan(axes=(Axis("ingest.size", (200, 999)),)), tmp_path)
    assert "chunks of 999" in result["cells"][2]["error"]
    assert result["cells"][result["best"]]["settings"] == {"ingest.size": 200}


def test_an_interrupted_sweep_goes_on_and_asks_nothing_twice(dataset: Dataset, tmp_path: Path) -> None:
    whole = run(dataset, Shop(), plan(halving=True, share=0.5), tmp_path / "whole")
    shop = Shop(fails_after=150)
    with pytest.raises(Unavailable):
        run(dataset, shop, plan(halving=True, share=0.5), tmp_path)
    assert shop.closed
    assert not read_sweep(tmp_path / "sweep")["finished"]
    lines = [path.read_text().count("\n") for path in (tmp_path / "sweep").rglob("questions.jsonl")]
    again = Shop()
    result = run(dataset, again, plan(halving=True, share=0.5), tmp_path)
    for name in ("best", "confirmed", "baseline", "axes", "split", "search"):
        assert result[name] == whole[name]
    assert [cell["metrics"] for cell in result["cells"]] == [cell["metrics"] for cell in whole["cells"]]
    total = sum(path.read_text().count("\n") for path in (tmp_path / "sweep").rglob("questions.jsonl"))
    # One search more each time a system is opened: it is start-up, and not measured.
    assert again.asked <= total - sum(lines) + again.opened
    # A finished one opens nothing.
    third = Shop()
    assert run(dataset, third, plan(halving=True, share=0.5), tmp_path)["best"] == whole["best"]
    assert third.opened == 0


def test_a_folder_belongs_to_one_sweep(dataset: Dataset, tmp_path: Path) -> None:
    run(dataset, Shop(), plan(), tmp_path)
    with pytest.raises(BadRequest, match=r"other questions"):
        run(dataset, Shop(), plan(seed=1), tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(BadRequest, match="holds no sweep"):
        run(dataset, Shop(), plan(), tmp_path, out=tmp_path / "other")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"axes": ()}, "no setting"),
        ({"axes": (Axis("retrieval.kk", (1,)),)}, "no setting `retrieval.kk`"),
        ({"axes": (Axis("retrieval.k", (1,)), Axis("retrieval.k", (2,)))}, "twice"),
        ({"axes": (Axis("retrieval.k", bounds=(1, 9)),)}, "bounds"),
        ({"metric": "bleu"}, "measure 'bleu'"),
        ({"share": 1.5}, "--split"),
        ({"share": 0.001}, "fewer than"),
        ({"random": 0}, "--random"),
    ],
)
def test_wrong_plans(dataset: Dataset, tmp_path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        run(dataset, Shop(), plan(**more), tmp_path)


def test_axes_as_they_are_written(tmp_path: Path) -> None:
    assert parse_axis("retrieval.rrf_k=5,10,20.5") == Axis("retrieval.rrf_k", (5, 10, 20.5))
    assert parse_axis('retrieval.retrievers=["dense"],["dense","lexical"]').values == (["dense"], ["dense", "lexical"])
    assert parse_axis("ingest.strategy = headings, page").values == ("headings", "page")
    assert parse_axis("answer.abstain=true,false,true").values == (True, False)
    assert parse_axis("a.b=1,1.0,true").values == (1, 1.0, True)
    assert parse_axis("ingest.chunk_tokens=64..512") == Axis("ingest.chunk_tokens", bounds=(64, 512))
    assert parse_axis("ingest.chunk_tokens=64..512").whole
    assert not parse_axis("answer.abstain_below=0.1..0.5").whole
    for wrong in ("", "retrieval.rrf_k", "=5", "retrieval.rrf_k=", "a.b=9..3"):
        with pytest.raises(BadRequest):
            parse_axis(wrong)
    file = tmp_path / "sweep.toml"
    file.write_text(
        'metric = "map"\nsplit = 0.5\n[set]\n"retrieval.rrf_k" = [5, 10]\ningest.chunk_tokens = "64..512"\n'
    )
    axes, rest = read_axes(file)
    assert axes == [Axis("retrieval.rrf_k", (5, 10)), Axis("ingest.chunk_tokens", bounds=(64, 512))]
    assert rest == {"metric": "map", "split": 0.5}
    for wrong in ("[set]\n", "metric = ", "colour = 3\n[set]\na.b = [1]\n", "[set]\na.b = 3\n"):
        file.write_text(wrong)
        with pytest.raises(BadRequest, match=r"sweep\.toml"):
            read_axes(file)
    with pytest.raises(BadRequest, match="cannot be read"):
        read_axes(tmp_path / "none.toml")
    with pytest.raises(BadRequest):
        check_axes([])


def test_the_baseline_is_found_among_the_cells() -> None:
    cells = grid([Axis("k", (5.0, 60.0)), Axis("on", (True,))])
    assert with_baseline(cells, {"k": 60, "on": True}) == (cells, 1)
    # True is not 1.
    assert with_baseline(cells, {"k": 60, "on": 1})[1] == 0
    assert len(with_baseline(cells, {"k": 60, "on": 1})[0]) == 3


@given(st.integers(1, 40), st.integers(0, 5))
def test_random_cells_are_different_and_within_bounds(count: int, seed: int) -> None:
    axes = [Axis("a", bounds=(1, 4)), Axis("b", ("x", "y", "z")), Axis("c", bounds=(0.5, 1.5))]
    found = draw(axes, count, seed)
    assert found == draw(axes, count, seed)
    assert len({json.dumps(cell) for cell in found}) == len(found) == count
    assert all(cell["a"] in (1, 2, 3, 4) and 0.5 <= cell["c"] <= 1.5 and cell["b"] in "xyz" for cell in found)
    few = draw([Axis("b", ("x", "y", "z"))], count, seed)
    assert len(few) == min(count, 3)


def judged(documents: Mapping[str, str]) -> Dataset:
    """A set with a question for each id, answered by the document beside it."""
    questions = tuple(Question(id_, "?") for id_ in documents)
    corpus = TextCorpus(Path("set"), dict.fromkeys(documents.values(), "text"))
    return Dataset("set", questions, {id_: {name: 1} for id_, name in documents.items()}, {}, corpus)


@given(
    st.dictionaries(st.text(min_size=1), st.sampled_from("abcdefgh"), min_size=4, max_size=60),
    st.floats(0.3, 0.7),
    st.integers(0, 9),
)
def test_a_split_is_whole_and_does_not_depend_on_order(documents: dict[str, str], share: float, seed: int) -> None:
    labelled = judged(documents)
    try:
        halves = split(labelled, share, seed)
    except BadRequest:
        return
    assert sorted(q.id for q in [*halves.train, *halves.test]) == sorted(documents)
    assert halves == split(replace(labelled, questions=labelled.questions[::-1]), share, seed)
    place = [q.id for q in shuffled(labelled.questions, seed)].index
    assert [place(q.id) for q in halves.train] == sorted(place(q.id) for q in halves.train)
    if halves.by == "documents":
        assert {documents[q.id] for q in halves.train}.isdisjoint(documents[q.id] for q in halves.test)


def test_sides_are_about_other_documents_unless_most_questions_are_about_one() -> None:
    many = split(judged({f"q{n}": f"d{n // 4}" for n in range(40)}), 0.5, 0)
    assert (many.by, len(many.train)) == ("documents", 20)
    one = split(judged({f"q{n}": "handbook" for n in range(40)}), 0.5, 0)
    assert (one.by, len(one.train)) == ("questions", 20)


@given(st.integers(1, 500), st.integers(1, 5000))
def test_rungs_grow_to_all_questions(cells: int, questions: int) -> None:
    found = rungs(cells, questions)
    assert found[-1] == questions
    assert found == sorted(found)
    assert len(found) == 1 or found[0] >= 20
    assert all(later <= 2 * earlier for earlier, later in pairwise(found))


def test_halving_by_hand() -> None:
    assert rungs(16, 160) == [20, 40, 80, 160]
    assert rungs(16, 1000) == [125, 250, 500, 1000]
    assert rungs(2, 1000) == [1000]
    assert rungs(50, 30) == [30]
    assert better_half({0: 0.1, 1: 0.5, 2: 0.5, 3: 0.4, 4: 0.0}) == [1, 2, 3]


def test_sweep_json_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="holds no sweep"):
        read_sweep(tmp_path)
    (tmp_path / NAME).write_text('{"cells": 3}')
    with pytest.raises(BadRequest, match="holds no sweep"):
        read_sweep(tmp_path)
