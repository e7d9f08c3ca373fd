"""Labelled sets in the layouts that are not BEIR's: TREC, SQuAD and its kin, captions, TAT-QA, CSV, descriptions."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from eval.datasets.corpus import TextCorpus
from eval.datasets.load import load
from eval.datasets.model import Dataset
from rag.answers import Turn
from rag.errors import BadRequest

TOPICS = """<top>
<num> Number: 301
<title> International
 Organized Crime

<desc> Description:
Identify organizations that cross borders.

<narr> Narrative: Names count.
</top>

<top>
<num> Number: 302 </num>
<title> 小儿麻痹症 </title>
</top>
"""


def texts(dataset: Dataset) -> dict[str, str]:
    assert isinstance(dataset.corpus, TextCorpus)
    return dict(dataset.corpus.texts)


def spanned(dataset: Dataset, question: str) -> set[str]:
    return {texts(dataset)[document][start:end] for document, start, end in dataset.spans[question]}


@pytest.fixture
def trec(tmp_path: Path) -> Path:
    folder = tmp_path / "robust"
    (folder / "documents" / "sub").mkdir(parents=True)
    (folder / "documents" / "FBIS3-1.txt").write_text("cartels", encoding="utf-8")
    (folder / "documents" / "sub" / "FT911-2").write_text("polio", encoding="utf-8")
    (folder / "topics.301-302.txt").write_text(TOPICS, encoding="utf-8")
    (folder / "qrels.txt").write_text("301 0 FBIS3-1 1\n301 0 FT911-2 0\n302 0 FT911-2 2\n", encoding="utf-8")
    return folder


def test_trec_over_files_named_by_number(trec: Path) -> None:
    found = load(trec)
    assert [(q.id, q.text) for q in found.questions] == [
        ("301", "International Organized Crime"),
        ("302", "小儿麻痹症"),
    ]
    assert found.documents == {"301": {"FBIS3-1.txt": 1, "sub/FT911-2": 0}, "302": {"sub/FT911-2": 2}}
    assert not found.warnings


def test_trec_over_a_corpus_with_topics_in_lines(trec: Path) -> None:
    corpus = trec / "corpus"
    corpus.mkdir()
    records = [{"_id": "FBIS3-1", "text": "cartels"}, {"_id": "FT911-2", "text": "polio"}]
    (corpus / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    (trec / "topics.301-302.txt").unlink()
    (trec / "topics.tsv").write_text("qid\tquery\n301\tcrime\n302\tpolio\n303\tnot judged\n", encoding="utf-8")
    found = load(trec)
    assert [q.text for q in found.questions] == ["crime", "polio"]
    assert found.documents["302"] == {"FT911-2": 2}
    assert "1 topics" in found.warnings[0]


def test_trec_longer_topics(trec: Path) -> None:
    (trec / "dataset.toml").write_text('topic = "title+description"\nlanguage = "en"\n', encoding="utf-8")
    first = load(trec).questions[0]
    assert first.text == "International Organized Crime. Identify organizations that cross borders."
    assert first.language == "en"


def test_trec_judgements_of_documents_that_are_not_here(trec: Path) -> None:
    with (trec / "qrels.txt").open("a", encoding="utf-8") as file:
        file.write("302 0 LA123 1\n")
    with pytest.raises(BadRequest, match=r"qrels\.txt, line 4: there is no document 'LA123'"):
        load(trec)
    (trec / "dataset.toml").write_text('skip = ["missing"]\n', encoding="utf-8")
    found = load(trec)
    assert found.documents["302"] == {"sub/FT911-2": 2}
    assert "line 4" in found.warnings[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("topics.301-302.txt", TOPICS + TOPICS, r"line 16: topic '301' is already on line 1"),
        ("topics.301-302.txt", "\n<top>\n<title> x\n</top>\n", r"line 2: this topic has no number"),
        ("topics.301-302.txt", "<top>\n<num> 1\n<title> x\n", r"line 1: this <top> is not closed"),
        ("topics.301-302.txt", "<top>\n<num> 1\n<title> \n</top>\n", r"line 1: topic '1' is empty"),
        ("topics.301-302.txt", "301 no tab\n", r"line 1: no tab"),
        ("topics.301-302.txt", "\n", r"holds no topics"),
        ("qrels.txt", "301 0 FBIS3-1 1\n999 0 FBIS3-1 1\n", r"qrels\.txt, line 2: there is no question '999'"),
        ("qrels.txt", "301 0 FBIS3-1 1\n301 0 FBIS3-1 0\n", r"line 2: the judgement .* is already on line 1"),
        ("qrels.txt", "301 0 FBIS3-1 1\n301 0 FBIS3-1 0.5\n", r"line 2: the grade '0\.5'"),
        ("qrels.txt", "301 0 FBIS3-1 1\n301 FBIS3-1\n", r"line 2: 2 columns"),
        ("qrels.txt", "", r"holds no judgements"),
    ],
)
def test_trec_mistakes(trec: Path, name: str, content: str, message: str) -> None:
    (trec / name).write_text(content, encoding="utf-8")
    with pytest.raises(BadRequest, match=message):
        load(trec)


def test_trec_without_or_with_two_qrels(trec: Path) -> None:
    (trec / "qrels.old.txt").write_text("301 0 FBIS3-1 1\n", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"qrels\.old\.txt and qrels\.txt") as caught:
        load(trec)
    assert "dataset.toml" in caught.value.remedy
    for path in trec.glob("qrels*"):
        path.unlink()
    with pytest.raises(BadRequest, match="no qrels"):
        load(trec)


def squad() -> dict[str, Any]:
    answers = [{"text": "1066", "answer_start": 37}, {"text": "in 1066", "answer_start": 34}]
    asked = {"id": "q1", "question": "When?", "answers": answers}
    impossible = {
        "id": "q2",
        "question": "Who?",
        "answers": [],
        "is_impossible": True,
        "plausible_answers": answers[:1],
    }
    context = "The battle of Hastings was fought in 1066, and not in 1067."
    return {"data": [{"title": "Norman_conquest", "paragraphs": [{"context": context, "qas": [asked, impossible]}]}]}


def save(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def test_squad(tmp_path: Path) -> None:
    found = load(save(tmp_path / "dev.json", squad()))
    assert found.name == "dev"
    first, second = found.questions
    assert first.answers == ("1066", "in 1066")
    assert (second.answerable, second.answers, second.group) == (False, (), "Norman conquest")
    assert texts(found) == {"0": "Norman conquest\n\nThe battle of Hastings was fought in 1066, and not in 1067."}
    assert found.documents == {"q1": {"0": 1}}
    assert spanned(found, "q1") == {"1066", "in 1066"}


def test_squad_offsets_are_corrected(tmp_path: Path) -> None:
    value = squad()
    value["data"][0]["paragraphs"][0]["qas"][0]["answers"] = [
        {"text": "1066", "answer_start": 36},
        {"text": "the year 1066", "answer_start": 3},
    ]
    found = load(save(tmp_path / "dev.json", value))
    assert spanned(found, "q1") == {"1066"}
    assert found.questions[0].answers == ("1066", "the year 1066")
    assert [warning.partition(": ")[2] for warning in found.warnings] == [
        "'1066' stands at 37, not at 36.",
        "the answer 'the year 1066' does not stand in its paragraph.",
    ]
    assert "line 17 (data[0].paragraphs[0].qas[0].answers[1])" in found.warnings[1]


def test_cmrc_in_its_own_form(tmp_path: Path) -> None:
    asked = {"query_id": "DEV_0_QUERY_0", "query_text": "由谁开发？", "answers": ["光荣", "光荣", "公司"]}
    value = [{"context_id": "DEV_0", "context_text": "光荣开发了公司的公司。", "title": "战国无双3", "qas": [asked]}]
    found = load(save(tmp_path / "cmrc.json", value))
    assert found.questions[0].answers == ("光荣", "公司")
    # 公司 stands there twice, and nothing says which is meant.
    assert spanned(found, "DEV_0_QUERY_0") == {"光荣"}
    assert found.documents == {"DEV_0_QUERY_0": {"DEV_0": 1}}


def test_drcd_names_its_paragraphs(tmp_path: Path) -> None:
    answers = [{"text": "歐洲", "id": "1", "answer_start": 1}]
    asked = {"id": "1147-5-1", "question": "哪一地區？", "answers": answers}
    paragraph = {"id": "1147-5", "context": "在歐洲，梵語的學術研究。", "qas": [asked]}
    found = load(save(tmp_path / "drcd.json", {"data": [{"title": "梵文", "id": "1147", "paragraphs": [paragraph]}]}))
    assert spanned(found, "1147-5-1") == {"歐洲"}
    assert list(found.corpus.ids) == ["1147-5"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"question": " "}, r"line 9 \(data\[0\]\.paragraphs\[0\]\.qas\[0\]\): question 'q1' is empty"),
        ({"id": "q2"}, r"line 23 .*question 'q2' is already on line 9"),
        ({"id": None}, r"line 10 .*\.id\): a text is expected"),
        ({"answers": 7}, r"line 12 .*\.answers\): a list is expected"),
        ({"answers": [{"answer_start": 3}]}, r"line 13 .*answers\[0\]\): 'text' is missing"),
        ({"answers": [{"text": "1066", "answer_start": "3"}]}, r"answer_start '3' is no whole number"),
        ({"answers": [{"text": "", "answer_start": 3}]}, r"the answer is empty"),
    ],
)
def test_squad_mistakes(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    value = squad()
    value["data"][0]["paragraphs"][0]["qas"][0] |= change
    with pytest.raises(BadRequest, match=message):
        load(save(tmp_path / "dev.json", value))


def test_broken_json_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text('{"data": [\n {"title": "x"\n "paragraphs": []}]}', encoding="utf-8")
    with pytest.raises(BadRequest, match=r"dev\.json, line "):
        load(tmp_path / "dev.json")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "set" / "images").mkdir(parents=True)
    for name in ("bear.png", "duck.jpg", "notes.txt"):
        (tmp_path / "set" / "images" / name).write_bytes(b"x")
    return tmp_path / "set"


def test_captions_in_two_languages(pictures: Path) -> None:
    save(
        pictures / "captions.json",
        [
            {
                "image": "bear.png",
                "captions_en": ["A bear.", "An  animal."],
                "captions_zh": ["一只熊"],
                "license": "BY",
            },
            {"image": "duck.jpg", "captions_en": ["An animal."], "captions_zh": []},
        ],
    )
    found = load(pictures)
    assert [(q.id, q.text, q.language, q.kind) for q in found.questions] == [
        ("bear.png#en-1", "A bear.", "en", "caption"),
        ("bear.png#en-2", "An animal.", "en", "caption"),
        ("bear.png#zh-1", "一只熊", "zh", "caption"),
    ]
    # The same words about two pictures: either is right.
    assert found.documents["bear.png#en-2"] == {"bear.png": 1, "duck.jpg": 1}
    assert list(found.corpus.ids) == ["bear.png", "duck.jpg"]


def test_captions_in_csv_and_as_coco(pictures: Path) -> None:
    (pictures / "captions.csv").write_text(
        'image,caption\nbear.png,"A bear, asleep"\nduck.jpg,A duck\n', encoding="utf-8"
    )
    from_csv = load(pictures)
    assert [q.text for q in from_csv.questions] == ["A bear, asleep", "A duck"]
    (pictures / "captions.csv").unlink()
    images = [{"id": 7, "file_name": "duck.jpg"}, {"id": 9, "file_name": "bear.png"}]
    notes = [{"id": 1, "image_id": 7, "caption": "A duck"}, {"id": 2, "image_id": 9, "caption": "A bear, asleep"}]
    from_coco = load(save(pictures / "captions.json", {"images": images, "annotations": notes}))
    assert {q.text: from_coco.documents[q.id] for q in from_coco.questions} == {
        q.text: from_csv.documents[q.id] for q in from_csv.questions
    }


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"image": "cat.png", "caption": "A cat."}, r"line 6: there is no file 'cat\.png' below .*images"),
        ({"caption": "A cat."}, r"line 6: 'image' is missing"),
        ({"image": "duck.jpg", "caption": "  "}, r"captions\.json"),
        ({"image": "duck.jpg", "caption": 7}, r"line 6: '7' is no caption"),
    ],
)
def test_caption_mistakes(pictures: Path, record: dict[str, Any], message: str) -> None:
    save(pictures / "captions.json", [{"image": "bear.png", "caption": "A bear."}, record])
    if record.get("caption") == "  ":
        assert any("has no caption" in warning for warning in load(pictures).warnings)
        return
    with pytest.raises(BadRequest, match=message):
        load(pictures)


def test_tatqa(tmp_path: Path) -> None:
    table = {"uid": "t1", "table": [["", "2019", "2018"], ["Sales", "$1,496.5", "$1,202.9"]]}
    paragraphs = [{"uid": "p1", "order": 1, "text": "Contracts are fixed-price."}]
    common = {"rel_paragraphs": ["1"], "scale": ""}
    questions = [
        {
            "uid": "a",
            "question": "Which?",
            "answer": ["x", "y"],
            "answer_type": "multi-span",
            "answer_from": "text",
            **common,
        },
        {"uid": "b", "question": "Change?", "answer": 24.41, "answer_type": "arithmetic", "answer_from": "table"}
        | common
        | {"scale": "percent"},
    ]
    found = load(save(tmp_path / "dev.json", [{"table": table, "paragraphs": paragraphs, "questions": questions}]))
    assert [(q.kind, q.answers) for q in found.questions] == [
        ("multi-span", ("x, y",)),
        ("arithmetic", ("24.41%", "24.41 percent")),
    ]
    assert found.quotes == {"a": frozenset({("t1", "Contracts are fixed-price.")})}
    (file,) = found.corpus.files(tmp_path / "out")
    assert file.name == "t1.md"
    assert file.path.read_text(encoding="utf-8").startswith("|  | 2019 | 2018 |\n| --- | --- | --- |\n| Sales |")


@pytest.fixture
def filings(tmp_path: Path) -> Path:
    folder = tmp_path / "filings"
    (folder / "pdfs").mkdir(parents=True)
    for name in ("2023 Q2 AAPL.pdf", "2023 Q3 AAPL.pdf", "2023 Q3 MSFT.pdf"):
        (folder / "pdfs" / name).write_bytes(name.encode())
    return folder


def test_csv_with_patterns_and_line_breaks(filings: Path) -> None:
    (filings / "qna.csv").write_text(
        "\ufeffQuestion,Source Docs,Question Type,Answer,Source Chunk Type\r\n"
        'How has it changed?,*AAPL*,Multi-Doc RAG,"Q2: 1\r\nQ3: 2",Table\r\n'
        "How much?,2023 Q3 MSFT,Single-Doc RAG,12,Text\r\n",
        encoding="utf-8",
    )
    found = load(filings)
    first, second = found.questions
    assert found.documents[first.id] == {"2023 Q2 AAPL.pdf": 1, "2023 Q3 AAPL.pdf": 1}
    assert found.documents[second.id] == {"2023 Q3 MSFT.pdf": 1}
    assert first.answers == ("Q2: 1\nQ3: 2",)
    assert (first.kind, first.metadata) == ("Multi-Doc RAG", {"Source Chunk Type": "Table"})
    # Ids are made of what is asked: another row moves none.
    lines = (filings / "qna.csv").read_text(encoding="utf-8").splitlines()
    (filings / "qna.csv").write_text("\n".join([lines[0], lines[3]]), encoding="utf-8")
    assert load(filings).questions[0].id == second.id


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('question,source\na,*AAPL*\n"b\nc",*NVDA*\n', r"qna\.csv, line 3: there is no file '\*NVDA\*'"),
        ("question,source\na,*AAPL*,more\n", r"line 2: 3 columns, but the header has 2"),
        ('question,source\na,*AAPL*\n\n"b,*AAPL*\n', r"line 4: this is no CSV"),
        ("question,question\na,b\n", r"line 1: there are two columns 'question'"),
        ("question,,source\na,b,c\n", r"line 1: a column has no name"),
        ("question,source,page\na,*MSFT*,twelve\n", r"line 2: 'twelve' is no page"),
        ("question,source,page\na,*MSFT*,0\n", r"line 2: '0' is no page"),
        ("question,source,page\na,*AAPL*,3\n", r"line 2: pages of several sources"),
        ("question,source,page\na,,3\n", r"line 2: a page without a source"),
        ("question,source,unanswerable\na,*MSFT*,maybe\n", r"line 2: 'maybe' is neither true nor false"),
        ("id,question,source\n1,a,*MSFT*\n1,b,*MSFT*\n", r"line 3: question '1' is already on line 2"),
        ("id,question,source\n1,a,*MSFT*\n,b,*MSFT*\n", r"line 3: the id is empty"),
        ("question,source\na,*MSFT*\na,*AAPL*\n", r"line 3: question '\w+' is already on line 2"),
        ("question,source\n ,*MSFT*\n", r"line 2: question '' is empty"),
        ("question,source\n", r"holds no questions"),
    ],
)
def test_csv_mistakes(filings: Path, content: str, message: str) -> None:
    (filings / "qna.csv").write_text(content, encoding="utf-8")
    with pytest.raises(BadRequest, match=message) as caught:
        load(filings)
    assert caught.value.remedy


def test_csv_in_another_encoding(filings: Path) -> None:
    (filings / "qna.csv").write_bytes("question,source\n多少？,*MSFT*\n".encode("gb18030"))
    with pytest.raises(BadRequest, match=r"qna\.csv, line 2: this is no UTF-8") as caught:
        load(filings)
    assert "UTF-8" in caught.value.remedy


def test_a_name_that_means_two_files(filings: Path) -> None:
    (filings / "pdfs" / "old").mkdir()
    (filings / "pdfs" / "old" / "2023 Q3 MSFT.pdf").write_bytes(b"")
    (filings / "qna.csv").write_text("question,source\na,old/2023 Q3 MSFT\nb,2023 Q3 MSFT\n", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"line 3: '2023 Q3 MSFT' may be 2023 Q3 MSFT\.pdf or old/2023"):
        load(filings)


def test_pages_and_languages_of_cells(filings: Path) -> None:
    (filings / "qna.tsv").write_text("问题\t答案\t来源\t页码\n多少？\t12\t2023 Q3 MSFT.pdf\t3; 5-7\n", encoding="utf-8")
    found = load(filings)
    (question,) = found.questions
    assert found.pages[question.id] == {("2023 Q3 MSFT.pdf", page) for page in (3, 5, 6, 7)}
    assert question.answers == ("12",)


def test_questions_without_any_source_measure_answers(filings: Path) -> None:
    (filings / "qna.csv").write_text("question,answer\na,1\nb,\n", encoding="utf-8")
    found = load(filings)
    assert [q.answerable for q in found.questions] == [True, False]
    assert found.documents == {}
    assert "1 questions name no source" in found.warnings[0]


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    root = tmp_path / "handbook"
    (root / "content" / "finance").mkdir(parents=True)
    (root / "content" / "finance" / "expenses.md").write_text("# Expenses", encoding="utf-8")
    (root / "content" / "chat.md").write_text("# Chat", encoding="utf-8")
    (root / "datasets").mkdir()
    one = {"id": 0, "type": "Single", "question": "How much?", "answer": "150", "think": "easy"}
    other = {"id": 0, "type": "Follow-up", "question": "And the next?", "context": "What is the first?", "answer": "g_"}
    one["retrieval"] = [{"finance/expenses.md": ["$150 per year.", "VPN"]}]
    other["retrieval"] = [{"finance/expenses.md": ["astray"]}, {"chat.md": ["Group (g_)"]}]
    save(root / "datasets" / "one.json", [one])
    save(root / "datasets" / "two.json", [other])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "set.toml").write_text(
        'root = "$HANDBOOKS/handbook"\nname = "book"\nquestions = ["datasets/*.json"]\ncorpus = "content"\nlinks = "."\n'
        '[fields]\nturns = "context"\n[[file]]\nmatch = "datasets/two.json"\nevidence = "last"\nlanguage = "en"\n',
        encoding="utf-8",
    )
    return tmp_path / "elsewhere" / "set.toml"


def test_description_of_data_elsewhere(handbook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDBOOKS", str(handbook.parent.parent))
    found = load(handbook)
    assert found.name == "book"
    assert [(q.id, q.kind, q.turns, q.language) for q in found.questions] == [
        ("one/0", "Single", (), ""),
        ("two/0", "Follow-up", (Turn("user", "What is the first?"),), "en"),
    ]
    assert found.documents == {"one/0": {"finance/expenses.md": 1}, "two/0": {"chat.md": 1}}
    assert found.quotes["one/0"] == {("finance/expenses.md", "$150 per year."), ("finance/expenses.md", "VPN")}
    assert found.quotes["two/0"] == {("chat.md", "Group (g_)")}
    assert found.questions[0].metadata == {"think": "easy"}
    # Pictures are named from the top of the data, above the folder of the documents.
    assert found.corpus.files(handbook.parent)[0].root == handbook.parent.parent / "handbook"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("turns =", "turn ="), r"set\.toml: there is no field 'turn'"),
        (('"context"', '"conversation so far"'), r"set\.toml: no question has a 'conversation so far'"),
        (('"last"', '"newest"'), r"set\.toml, line 10: 'evidence' is 'newest'"),
        (('"content"', '"contents"'), r"set\.toml, line 4: there is no folder .*contents"),
        (('"datasets/*.json"', '"data/*.json"'), r"There is no data/\*\.json in "),
        (("name =", "names ="), r"set\.toml, line 2: there is no 'names'"),
        (('"book"', "7"), r"set\.toml, line 2: 'name' is no text"),
        (("$HANDBOOKS", "$HANDBOOK_FOLDER"), r"line 1: the environment variable HANDBOOK_FOLDER is not set"),
        (('"book"', '"book'), r"set\.toml: this is no TOML \(.*line 2"),
        (("[fields]", 'format = "xml"\n[fields]'), r"`format` is 'xml'"),
        (("[fields]", 'skip = ["all"]\n[fields]'), r"line 6: 'skip' has 'all'"),
    ],
)
def test_description_mistakes(
    handbook: Path, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str], message: str
) -> None:
    monkeypatch.setenv("HANDBOOKS", str(handbook.parent.parent))
    handbook.write_text(handbook.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(BadRequest, match=message) as caught:
        load(handbook)
    assert caught.value.remedy


def test_left_out_by_description(filings: Path) -> None:
    (filings / "qna.csv").write_text(
        "question,source,type\na,*MSFT*,One\nb,*NVDA*,One\nc,*AAPL*,Many\n,*MSFT*,One\n", encoding="utf-8"
    )
    (filings / "dataset.toml").write_text('skip = ["missing", "empty"]\n[only]\ntype = ["One"]\n', encoding="utf-8")
    found = load(filings)
    assert [q.text for q in found.questions] == ["a"]
    assert any("line 5" in warning for warning in found.warnings)
    assert any(warning.startswith("1 questions about documents") for warning in found.warnings)


def test_passages_that_the_questions_bring_along(tmp_path: Path) -> None:
    records = [
        {"context": "Paid $20 to Mixpanel.", "question": "How much?", "ideal": "$20"},
        {"context": "Paid $20 to Mixpanel.", "question": "To whom?", "ideal": "Mixpanel"},
        {"context": "Nothing.", "question": "How much?", "ideal": "unknown"},
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    (tmp_path / "dataset.toml").write_text('[fields]\npassage = "context"\n', encoding="utf-8")
    found = load(tmp_path)
    assert sorted(texts(found).values()) == ["Nothing.", "Paid $20 to Mixpanel."]
    first, second, third = found.questions
    assert found.documents[first.id] == found.documents[second.id] != found.documents[third.id]
    assert "line 3: the same is asked on" in found.warnings[0]


def test_question_with_a_picture(filings: Path) -> None:
    (filings / "photo.png").write_bytes(b"png")
    record = {"id": "1", "question": "What is this?", "source": "2023 Q3 MSFT.pdf", "image": "photo.png"}
    save(filings / "questions.json", [record])
    found = load(filings)
    assert found.questions[0].images == (filings / "photo.png",)
    before = found.digest
    (filings / "photo.png").write_bytes(b"other")
    assert load(filings).digest != before
    save(filings / "questions.json", [record | {"image": "photos.png"}])
    with pytest.raises(BadRequest, match=r"line 2: there is no picture 'photos\.png'"):
        load(filings)


def test_the_same_asked_twice_is_told(filings: Path) -> None:
    records = [{"id": str(n), "question": "What?", "source": "*MSFT*"} for n in range(2)]
    save(filings / "questions.json", records)
    found = load(filings)
    assert len(found.questions) == 2
    assert "line 7: the same is asked on" in found.warnings[0]


def test_several_files_that_could_be_the_questions(filings: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (filings / name).write_text("question,source\nx,*MSFT*\n", encoding="utf-8")
    with pytest.raises(BadRequest, match=r"a\.csv, b\.csv"):
        load(filings)
    assert len(load(filings / "b.csv").questions) == 1


@pytest.mark.parametrize("name", ["gitlab-handbook", "sec-10q"])
def test_real_sets_by_description(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("TUWEN_SHARED", root.parent / "shared")) / "data"
    if not shared.is_dir():
        pytest.skip(f"{shared} is not on this machine")
    monkeypatch.setenv("DATASETS", str(shared))
    found = load(root / "examples" / "datasets" / f"{name}.toml")
    assert len(found.questions) == {"gitlab-handbook": 250, "sec-10q": 54}[name]
    assert all(found.documents[question.id] for question in found.questions)
