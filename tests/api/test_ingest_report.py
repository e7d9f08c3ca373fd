"""What an ingest says at its end, to a person and to a program."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import tuwen
from api import terminal
from api.client import LocalClient
from api.service import Service
from ingest.events import FileEvent, Report


def test_moved_and_deleted_files_are_named(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, client = tmp_path / "files", LocalClient(service)
    (folder / "sub").mkdir(parents=True)
    for name in ("one", "two", "three"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nText of {name}.\n")
    client.ingest([folder], "default", lambda _: None, retry_failed=False, sync=True)
    (folder / "one.md").rename(folder / "sub" / "one [new].md")
    (folder / "two.md").unlink()
    told: list[FileEvent] = []
    report = client.ingest([folder], "default", told.append, retry_failed=False, sync=True)
    assert (report.moved, report.deleted) == ([("one.md", "sub/one [new].md")], ["two.md"])
    assert [event.moved_from for event in told if event.state == "published"] == ["one.md"]
    terminal.show_report(report)
    said = capsys.readouterr().out
    assert said.splitlines()[:2] == ["moved: one.md → sub/one [new].md", "deleted: two.md"]
    assert re.fullmatch(r"1 published, 1 unchanged, 1 deleted; 1 chunk in \d+\.\d s", said.splitlines()[2])
    assert terminal.report_json(report)["moved"] == [{"from": "one.md", "to": "sub/one [new].md"}]


def test_a_long_list_of_changes_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_report(Report(deleted=[f"{number}.md" for number in range(25)]))
    said = capsys.readouterr().out.splitlines()
    assert said[terminal.SHOWN_CHANGES - 1 :] == ["deleted: 19.md", "… and 5 more", "no files in 0.0 s"]


def test_a_message_is_not_broken_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    message = "The file " + "with a long name " * 10 + "is empty."
    with terminal.ingest_view(1, as_json=False, events=False, each=True) as tell:
        tell(FileEvent("a.md", "failed", message=message, remedy=message))
        tell(FileEvent("b.md", "published"))
        time.sleep(0.2)
    said = capsys.readouterr().err
    assert said.count(message) == 2
    assert "+ b.md" in said


def test_whoever_interrupts_is_told_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalClient, "ingest", interrupted)
    (tmp_path / "a.md").write_text("# A")
    for more, said in (([], True), (["--json"], False)):
        with pytest.raises(SystemExit) as ended:
            tuwen.app(["ingest", str(tmp_path / "a.md"), "--data", str(tmp_path / "data"), *more])
        assert ended.value.code == 1
        assert ("`tuwen jobs resume`, goes on with it" in capsys.readouterr().err) is said
