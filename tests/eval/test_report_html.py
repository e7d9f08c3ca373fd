"""The page: data stays data, nothing outside is asked for, and poorer runs are shown, too."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as markup
from PIL import Image
from typer.testing import CliRunner

from eval.report.html import MOST, html, some_of_each
from eval.report.markdown import markdown, plain
from eval.report.pictures import LARGEST, collect
from eval.report.report import figures
from tests.support.run_folders import lost, record, unanswerable, write_run, write_sweep
from tuwen import app

HOSTILE = (
    "</script></style></title>--><script>alert(1)</script><img src=x onerror=alert(1)>"
    '<a href="javascript:alert(1)">x</a>{{ 7 * 7 }}{% raw %} \' onload=alert(1) " onclick=alert(1) \u202eevil'
)


@cache
def page_png(width: int = 1190, height: int = 1684) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def hostile_run(folder: Path) -> Path:
    passage = {"document": HOSTILE, "pages": [2], "text": HOSTILE, "gold": True}
    told = lost(1)["lost"]
    told |= {"class": HOSTILE, "why": HOSTILE, "step": HOSTILE, "missed_by": [HOSTILE]}
    told["evidence"] = {
        "gold": [passage],
        "stages": {HOSTILE: {"size": 1, "gold": 1, "top": [passage]}},
        "answer": {"expected": [HOSTILE], "citations": []},
    }
    answer = record(1)["answer"] | {"text": HOSTILE, "generator": HOSTILE}
    answer["cited"][0] |= {"document": HOSTILE, "boxes": [[2, 10, 10, 50, 50]]}
    metrics = {"ndcg@10": 0.0, HOSTILE: 0.5}
    first = record(
        1, id=HOSTILE, question=HOSTILE, kind=HOSTILE, language=HOSTILE, lost=told, answer=answer, metrics=metrics
    )
    first |= {"documents": [[HOSTILE, 1.0]], "documents_judged": {HOSTILE: 1}, "timings": {HOSTILE: 5.0}}
    first["doubt"] = {"why": HOSTILE}
    second = record(2, metrics={"ndcg@10": 1.0, HOSTILE: 0.7}, timings={HOSTILE: 4.0})
    settings = {"profile": "embedded", HOSTILE: {HOSTILE: HOSTILE}}
    config = {"system": {"settings": settings, "server": HOSTILE, "index": HOSTILE}, "labels": HOSTILE, "code": HOSTILE}
    failures = [{"name": HOSTILE, "reason": HOSTILE}]
    index = {"documents": 1, "chunks": 1, "failed": 1, "failures": failures}
    return write_run(folder, [first, second], dataset=HOSTILE, config=config, index=index, warnings=[HOSTILE])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    tmp_path = tmp_path_factory.mktemp("hostile")
    run = hostile_run(tmp_path / "run")
    base = write_run(
        tmp_path / "base", [record(1, id=HOSTILE, question=HOSTILE, metrics={"ndcg@10": 1.0, HOSTILE: 0.1})]
    )
    cells = [{"settings": {HOSTILE: value}, "value": 0.5} for value in (HOSTILE, "b")]
    sweep = write_sweep(tmp_path / "sweep", cells, metric="ndcg@10", warnings=[HOSTILE])
    numbers = figures(run, against=base, sweep=sweep, defaults=lambda _: {HOSTILE: {HOSTILE: 1}})
    return html(numbers, page_image=lambda name, page: page_png(119, 168), command=HOSTILE)


def elements(page: str) -> list[Any]:
    """As a lenient reader of HTML sees the page."""
    return list(markup.document_fromstring(page).iter(etree.Element))


def test_hostile_texts_make_no_markup(hostile: str) -> None:
    found = elements(hostile)
    assert sum(one.tag == "script" for one in found) == 1
    assert not [
        one.tag
        for one in found
        if one.tag in ("img", "iframe", "object", "embed", "link", "base", "form", "foreignobject")
    ]
    names = {name for one in found for name in one.attrib}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "srcset", "action")]
    for one in found:
        for name in ("href", "{http://www.w3.org/1999/xlink}href"):
            target = one.get(name)
            assert target is None or target.startswith(("#", "data:image/webp;base64,")), target
    # It was shown as text, and no template was run in it.
    assert "<script>alert(1)</script>" in "".join(markup.document_fromstring(hostile).itertext())
    assert "{{ 7 * 7 }}" in hostile


def test_nothing_outside_is_named_in_a_place_where_it_would_be_fetched(hostile: str) -> None:
    assert not re.findall(r"url\((?!#|&)", hostile)
    assert "@import" not in hostile
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", hostile)


def test_the_policy_allows_exactly_our_style_and_our_script(hostile: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', hostile)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert "unsafe" not in policy[1]
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", hostile, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    # It has to stand before what it rules.
    assert hostile.index("Content-Security-Policy") < min(hostile.index("<style>"), hostile.index("<title>"))


def test_accessible(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [record(1), lost(2), unanswerable(3, abstained=False)])
    page = markup.document_fromstring(html(figures(run), page_image=lambda name, page: page_png(119, 168)))
    assert page.get("lang") == "en"
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(head.get("scope") in ("col", "row") for head in page.iter("th"))
    assert all(table.find("caption") is not None for table in page.iter("table"))
    drawings = page.xpath("//*[@role='img']")
    assert len(drawings) >= 5
    assert all(len(one.get("aria-label")) > 10 for one in drawings)
    ids = [one.get("id") for one in page.iter(etree.Element) if one.get("id")]
    assert len(ids) == len(set(ids))
    for one in page.xpath("//*[@aria-labelledby]"):
        assert one.get("aria-labelledby") in ids
    for one in page.xpath("//a[starts-with(@href, '#')] | //*[local-name()='use']"):
        assert one.get("href")[1:] in ids


def test_a_failure_shows_its_page_and_what_was_cited_on_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [lost(1), lost(2, documents_judged={"d1.pdf": 1}), record(3)])
    asked = []

    def draw(name: str, page: int) -> bytes:
        asked.append((name, page))
        return page_png()

    page = markup.document_fromstring(html(figures(run), page_image=draw))
    assert asked[0] == ("d1.pdf", 2)
    assert len(asked) == len(set(asked))
    (first, *_) = page.xpath("//article[1]//*[local-name()='svg'][@class='page']")
    assert first.get("viewbox", first.get("viewBox")) == "0 0 595.0 842.0"
    (box,) = first.xpath(".//*[local-name()='rect']")
    assert (box.get("x"), box.get("y"), box.get("width"), box.get("height")) == ("72", "100", "228", "20")


def test_pictures_stay_within_their_budget() -> None:
    drawn = page_png()
    places = [("a.pdf", 1), ("a.pdf", 1), ("b.pdf", 1), ("c.pdf", 1), ("d.pdf", None)]
    one = collect(places[:1], lambda name, page: drawn, 10_000_000)
    (picture,) = one.by_place.values()
    assert (picture.width, picture.height) == (595.0, 842.0)
    with Image.open(io.BytesIO(base64.b64decode(picture.data.partition(",")[2]))) as shown:
        assert shown.format == "WEBP"
        assert shown.width <= LARGEST[0]
        assert shown.height <= LARGEST[1]
    two = collect(places, lambda name, page: drawn, int(one.size * 2.5))
    assert (len(two.by_place), two.left_out) == (2, 1)
    assert two.size <= one.size * 2.5
    assert collect(places, None, 10_000_000).by_place == {}


@pytest.mark.parametrize("data", [None, b"", b"<svg onload=alert(1)>", b"GIF89a" + b"\0" * 40, page_png()[:2000]])
def test_what_is_no_picture_is_left_out(data: bytes | None) -> None:
    assert collect([("a.pdf", 1)], lambda name, page: data, 10_000_000).by_place == {}


def test_the_poorest_run_has_a_report(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [{"id": "a", "question": "?"}], config={}, index={}, started=None)
    numbers = figures(run)
    page = html(numbers)
    assert "The run does not tell its settings" in page
    assert "No question failed" in page
    assert "1 questions" in markdown(numbers)


def test_of_many_failures_every_class_is_shown(tmp_path: Path) -> None:
    cases = [{"class": name, "id": n} for n, name in enumerate("a" * 9 + "b" * 2 + "c")]
    assert [(case["class"], case["id"]) for case in some_of_each(cases, 6)] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
        ("b", 9),
        ("b", 10),
        ("c", 11),
    ]
    assert some_of_each(cases, 99) == cases
    numbers = figures(write_run(tmp_path / "run", [lost(n) for n in range(MOST + 5)]))
    page = html(numbers)
    assert page.count("<article") == MOST
    assert "5 more failures are in the JSON" in page
    assert len(numbers["failures"]["list"]) == MOST + 5


def test_chinese_is_marked_as_such(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [lost(1, question="春茶是哪一天开采的？")])
    page = markup.document_fromstring(html(figures(run)))
    (title,) = page.xpath("//article/h3")
    assert title.get("lang") == "zh-CN"


def test_the_numbers_are_json_and_the_same_as_in_the_page(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [record(1), lost(2)])
    result = CliRunner().invoke(
        app, ["eval", "report", str(run), "--json", "--no-pictures", "-o", str(tmp_path / "r.html")]
    )
    assert result.exit_code == 0, result.output
    numbers = json.loads(result.stdout)
    assert numbers["metrics"]["ndcg@10"]["value"] == 0.5
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    rows = {
        row[0].text_content(): row[1].text_content()
        for row in markup.document_fromstring(page).xpath("//table//tr[th[@scope='row']]")
    }
    assert rows["nDCG@10"] == "0.500"


def test_command(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", [record(n) for n in range(4)])
    base = write_run(tmp_path / "base", [lost(0), *(record(n) for n in range(1, 4))])
    invoke = CliRunner().invoke
    done = invoke(app, ["eval", "report", str(run)])
    assert done.exit_code == 0, done.output
    assert (run / "report.html").is_file()
    table = invoke(app, ["eval", "report", str(run), "--against", str(base), "--markdown"]).stdout
    assert table.startswith("### set: 4 questions\n\n**No clear difference: nDCG@10 +0.250")
    assert "| nDCG@10 | 0.750 | 1.000 | +0.250 |" in table
    assert "Better (1): q0 (0.00 → 1.00)" in table
    both = invoke(app, ["eval", "report", str(run), "--json", "--markdown"])
    assert both.exit_code == 1
    nothing = invoke(app, ["eval", "report", "--json"])
    assert json.loads(nothing.stdout)["error"]["remedy"].startswith("Name the folder")


def test_markdown_of_hostile_texts(tmp_path: Path) -> None:
    table = markdown(figures(hostile_run(tmp_path / "run")))
    assert "<script>" not in table.replace("\\<", "")
    lines = table.splitlines()
    assert sum(line.startswith("#") for line in lines) == 1
    columns = {line.replace("\\|", "").count("|") for line in lines if line.startswith("|")}
    assert columns == {5}
    assert (
        plain("see [x](https://e.org) @me `a` | b\n# c")
        == "see \\[x\\](https://\u200be.org) @\u200bme \\`a\\` \\| b \\# c"
    )
