"""The commands that the README and the documentation show exist, with the options they show."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from tuwen import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        if page.exists():
            for block in BLOCK.findall(page.read_text(encoding="utf-8")):
                lines = block.replace("\\\n", " ").splitlines()
                found += [(page.name, line.strip().removeprefix("$ ")) for line in lines]
    return found


TUWEN = [(page, line) for page, line in shown() if re.match(r"(?:[A-Z_]+=\S+ )*tuwen ", line)]
MAKE = [(page, line) for page, line in shown() if re.match(r"(?:[A-Z_]+=\S+ )*make ", line)]


def test_the_readme_opens_with_two_commands() -> None:
    first = BLOCK.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert first is not None
    assert [line.split("#")[0].strip() for line in first[1].splitlines()] == ["make serve", "make test"]


@pytest.mark.parametrize(("page", "line"), TUWEN)
def test_a_command_that_is_shown_can_be_given(page: str, line: str) -> None:
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
    arguments = words[1 : next((n for n, word in enumerate(words) if word in ("|", ">", "&", "&&")), len(words))]
    command, context = typer.main.get_command(app), None
    while True:
        if arguments and not arguments[0].startswith("-") and hasattr(command, "commands"):
            name = arguments.pop(0)
            assert name in command.commands, f"{page}: there is no `{name}` in `{line}`"
            command = command.commands[name]
        else:
            break
    command.make_context(command.name, arguments, parent=context)


@pytest.mark.parametrize(("page", "line"), MAKE)
def test_a_target_that_is_shown_exists(page: str, line: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = next(word for word in shlex.split(line, comments=True) if word != "make" and "=" not in word)
    assert named in targets, page


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        if page.exists():
            for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
