"""A run or a sweep from the command to the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from api.client import HttpClient
from api.settings import Settings
from api.settings import load as load_settings
from eval.bench import DEPTH, Options, begin
from eval.datasets.load import load
from eval.datasets.model import Dataset
from eval.datasets.sampling import sample
from eval.judge.asker import Asker
from eval.judge.cache import FileCache
from eval.judge.judge import judge_answer
from eval.judge.score import Score
from eval.measure import Judge
from eval.measures import choose
from eval.metrics.cost import load_prices
from eval.runner.changes import changed, value_of
from eval.runner.documents import open_generator
from eval.runner.local import LocalWorkshop, cache_folder, index_key, local_system
from eval.runner.served import ServedSystem
from eval.settings_file import write_setting
from eval.sweep.axes import check_axes
from eval.sweep.flow import Plan
from eval.sweep.flow import sweep as run_sweep
from rag.errors import BadRequest
from rag.protocols import Generator, TextEncoder


def run(
    dataset: Path,
    *,
    corpus: Path | None = None,
    data: Path | None = None,
    settings: Settings | None = None,
    server: str = "",
    out: Path | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    sampled: int | None = None,
    depth: int = DEPTH,
    answers: bool = False,
    measures: Sequence[str] = (),
    prices: Path | None = None,
    at_once: int = 1,
    seed: int = 0,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Measures a labelled set: `{"dataset", "metrics", "latency_ms", "config", "index"}`.

    `corpus` names other documents for the questions of `dataset`. `settings` are those of `tuwen` (by default, those of the data
    directory `data`), whose own documents are left alone. `server` measures a running server instead. `limit` takes the first
    questions, `sampled` some drawn by `seed`. `measures` are computed beside the usual ones, `prices` tell what tokens cost.
    Raises BadRequest for what is wrong with the set or the folder, and whatever the system raises.
    """
    options = _options(depth, answers, measures, prices, at_once, seed)
    labelled = _labelled(dataset, corpus, limit, sampled, seed)
    cache = cache or cache_folder()
    digest = labelled.corpus.digest
    if server:
        system = ServedSystem(HttpClient(server), f"eval-{digest}", {"server": server})
    else:
        system = local_system(settings or load_settings(data), cache, digest)
    try:
        judge = None
        if options.measures.judge:
            judge = _judge(system.generator or open_generator(data), system.encoder, cache)
        made = begin(system, labelled, cache=cache, options=options, out=out, judge=judge, show_progress=show_progress)
        made.ask(labelled.questions)
        return made.finish(system.encoder)
    finally:
        system.close()


def sweep(
    dataset: Path,
    plan: Plan,
    *,
    corpus: Path | None = None,
    data: Path | None = None,
    settings: Settings | None = None,
    out: Path | None = None,
    cache: Path | None = None,
    limit: int | None = None,
    sampled: int | None = None,
    depth: int = DEPTH,
    answers: bool = False,
    measures: Sequence[str] = (),
    at_once: int = 1,
    use: bool = False,
    tell: Callable[[str], None] = lambda _: None,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Tries combinations of settings: what `sweep.json` holds (eval/sweep/record.py), and `"folder"`.

    With `use` the best settings are written to `tuwen.toml` of the data directory, and `"used"` says what and whether the documents
    have to be ingested again. Raises what `run` raises, and BadRequest for a setting or a value that means nothing.
    """
    if not plan.axes:
        check_axes(plan.axes)
    more = list(measures)
    if plan.metric not in more and _is_measure(plan.metric):
        more.append(plan.metric)
    options = _options(depth, answers, more, None, at_once, plan.seed)
    if options.measures.judge or options.measures.similarity:
        raise BadRequest("A sweep measures without judge and similarity.", "Use them with `tuwen eval run`.")
    base = settings or load_settings(data)
    labelled = _labelled(dataset, corpus, limit, sampled, plan.seed)
    cache = cache or cache_folder()
    workshop = LocalWorkshop(base, cache, labelled.corpus.digest)
    result = run_sweep(
        labelled, workshop, plan, cache=cache, options=options, out=out, tell=tell, show_progress=show_progress
    )
    if use and result["best"] is not None:
        result["used"] = use_settings(base, result["cells"][result["best"]]["settings"])
    return result


def use_settings(base: Settings, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the settings to `tuwen.toml` of the data directory, beside what else stands there: `{"file", "settings", "ingest_again"}`.

    Raises BadSetting for a file that cannot be written.
    """
    new = changed(base, changes)
    different = {name: value for name, value in changes.items() if value_of(base, name) != value_of(new, name)}
    path = base.data / "tuwen.toml"
    for name, value in different.items():
        section, _, setting = name.partition(".")
        field, _, key = setting.partition(".")
        # Of a setting that is a table, the whole table is written: what else it holds stays.
        whole = {**value_of(base, f"{section}.{field}"), key: value} if key else value
        path = write_setting(base.data, section, field, whole)
    return {
        "file": str(path),
        "settings": different,
        "ingest_again": index_key(base, "") != index_key(new, ""),
    }


def _labelled(dataset: Path, corpus: Path | None, limit: int | None, sampled: int | None, seed: int) -> Dataset:
    for name, value in (("--limit", limit), ("--sample", sampled)):
        if value is not None and value < 1:
            raise BadRequest(f"{name} is {value}.", "Give a number of questions from 1.")
    labelled = load(dataset, corpus).first(limit)
    return labelled if sampled is None else sample(labelled, sampled, seed)


def _options(
    depth: int, answers: bool, measures: Sequence[str], prices: Path | None, at_once: int, seed: int
) -> Options:
    if at_once < 1:
        raise BadRequest(f"--concurrency is {at_once}.", "Give a number of questions to ask at once, from 1.")
    return Options(depth, answers, choose(measures), seed, at_once, load_prices(prices) if prices else None)


def _judge(generator: Generator | None, encoder: TextEncoder | None, cache: Path) -> Judge:
    """Raises BadRequest without a generator that can judge."""
    if generator is None:
        raise BadRequest("There is no generator to judge answers.", "Set `generator.kind` to openai or llamacpp.")
    asker = Asker(generator, FileCache(cache / "judge.jsonl"))

    def judge(question: str, answer: str, passages: Sequence[str], expected: Sequence[str]) -> dict[str, Score]:
        return judge_answer(asker, question, answer, passages, expected=(*expected, "")[0], encoder=encoder)

    return judge


def _is_measure(name: str) -> bool:
    try:
        choose([name])
    except BadRequest:
        return False
    return True
