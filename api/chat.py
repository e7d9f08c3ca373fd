"""`tuwen chat`: a conversation in the terminal, in this process or over a server; kept in the library either way."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape

from api import terminal
from api.answer_view import AnswerView, answer_view, shown
from api.client import Client
from api.schemas import QueryBody
from rag.errors import BadRequest, ConversationBusy, NotFound, TuwenError

PATIENCE_S = 15.0
"""How long the answer that was just stopped may take to end, before the next question is refused."""

Read = Callable[[str], str]


class _Quit(Exception):
    """The person wants to leave."""


@dataclass
class Chat:
    """One person at a terminal. A conversation is stored with its first question, so that looking around leaves nothing."""

    client: Client
    collection: str = "default"
    top_k: int = 10
    as_json: bool = False
    conversation: str = ""
    _listed: list[dict[str, Any]] = field(default_factory=list)
    _stopped: bool = False

    def run(self, read: Read) -> None:
        """Until the end of the input, or /quit. Ctrl-C stops an answer; at the prompt it clears the line."""
        while True:
            try:
                line = read("" if self.as_json else "\n› ").strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                if not self.as_json:
                    terminal.err.print("\n[dim]Ctrl-D or /quit leaves.[/]")
                continue
            if not line:
                continue
            try:
                self.one(line)
            except _Quit:
                return
            except TuwenError as error:
                self._tell(error)

    def one(self, line: str) -> None:
        """A question or a command."""
        if not line.startswith("/"):
            return self.ask(line)
        name, _, rest = line[1:].partition(" ")
        if name not in COMMANDS:
            raise BadRequest(f"There is no command /{name}.", "/help lists those there are.")
        return COMMANDS[name].run(self, rest.strip())

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, question: str, replaces: str | None = None) -> None:
        if not self.conversation:
            self.conversation = self.client.begin(self.collection)["id"]
        body = QueryBody(
            question=question, conversation_id=self.conversation, replaces=replaces, top_k=self.top_k, stream=True
        )
        if not self.as_json:
            sys.stdout.write("\n")
        try:
            with answer_view() as view, contextlib.closing(self._events(body)) as events:
                for name, event in events:
                    self._show(name, event, question, view)
            self._stopped = False
        except KeyboardInterrupt:
            self._stopped = True
            if not self.as_json:
                terminal.out.print("\n[yellow]Stopped. What was said is kept as incomplete; /again asks again.[/]")

    def _events(self, body: QueryBody) -> Generator[tuple[str, dict[str, Any]], None, None]:
        until = time.monotonic() + (PATIENCE_S if self._stopped else 0.0)
        while True:
            try:
                yield from self.client.answer(body)
                return
            except ConversationBusy:
                # An answer that was stopped ends with the word it is at.
                if time.monotonic() >= until:
                    raise
                time.sleep(0.2)

    def _show(self, name: str, event: dict[str, Any], question: str, view: AnswerView) -> None:
        if self.as_json:
            if name == "final_answer":
                terminal.print_json(event)
                sys.stdout.flush()
            return
        if name == "rewrite" and event["question"].strip() != question:
            terminal.err.print(f"[dim]searched for: {escape(event['question'])}[/]\n")
        elif name == "message":
            view.piece(event["delta"])
        elif name == "final_answer":
            view.end(event)

    def _tell(self, error: TuwenError) -> None:
        if self.as_json:
            told = {"type": type(error).__name__, "message": error.message, "remedy": error.remedy}
            terminal.print_json({"error": told})
            sys.stdout.flush()
        else:
            terminal.show_error(error)

    # --- commands ----------------------------------------------------------------------------------------------------

    def help(self, _: str) -> None:
        for name, command in COMMANDS.items():
            terminal.out.print(
                f"[bold]/{name}[/]{' ' + escape(command.takes) if command.takes else ''}  {command.about}"
            )

    def new(self, _: str) -> None:
        self.conversation = ""
        self._say("A new conversation.")

    def listing(self, _: str) -> None:
        self._listed = self.client.conversations(None)
        if self.as_json:
            return terminal.print_json({"conversations": self._listed})
        for number, item in enumerate(self._listed, start=1):
            mark = "*" if item["id"] == self.conversation else " "
            title = escape(item["title"] or "(no question yet)")
            terminal.out.print(
                f"{mark}{number:>3}  {title}  [dim]{escape(item['collection'])}, {item['turns']} turns[/]"
            )
        if not self._listed:
            terminal.out.print("There are no conversations yet.")
        return None

    def open(self, which: str) -> None:
        self._listed = self._listed or self.client.conversations(None)
        if which.isdigit() and 0 < int(which) <= len(self._listed):
            which = self._listed[int(which) - 1]["id"]
        found = self.client.conversation(which)
        self.conversation, self.collection = found["id"], found["collection"]
        self._replay(found)

    def title(self, text: str) -> None:
        self.client.rename(self._current(), text)
        self._say("Renamed.")

    def delete(self, _: str) -> None:
        self.client.forget(self._current())
        self.conversation = ""
        self._say("Deleted. A new conversation.")

    def export(self, file: str) -> None:
        text = self.client.export(self._current())
        if not file:
            sys.stdout.write(shown(text))
            return
        try:
            with Path(file).expanduser().open("x", encoding="utf-8") as out:
                out.write(text)
        except OSError as error:
            raise BadRequest(f"{file} cannot be written: {error.strerror}.", "Give another file.") from error
        self._say(f"Written to {file}")

    def again(self, _: str) -> None:
        last = self._last()
        self.ask(last["question"], last["id"])

    def edit(self, question: str) -> None:
        if not question:
            raise BadRequest("There is no question.", "Write it behind the command: /edit How many …?")
        self.ask(question, self._last()["id"])

    def sources(self, number: str) -> None:
        """The passages of the last answer, or one of them whole."""
        context = self._last()["context"]
        if number:
            if not number.isdigit() or not 0 < int(number) <= len(context):
                raise NotFound(f"There is no passage {number}.", f"The last answer has {len(context)}.")
            terminal.out.print(shown(context[int(number) - 1]["text"]), markup=False)
            return
        for place, hit in enumerate(context, start=1):
            page = f", page {hit['page']}" if hit["page"] else ""
            text = " ".join(hit["text"].split())[: max(20, shutil.get_terminal_size().columns - 6)]
            terminal.out.print(f"[bold]{place}. {escape(hit['document']['name'])}{page}[/]\n   {escape(text)}")

    def history(self, _: str) -> None:
        self._replay(self.client.conversation(self._current()))

    def quit(self, _: str) -> None:
        raise _Quit

    def _replay(self, found: dict[str, Any]) -> None:
        if self.as_json:
            terminal.print_json(found)
            return
        terminal.out.print(f"[bold]{escape(found['title'] or 'A conversation without questions')}[/]")
        for turn in found["turns"]:
            versions = f" [dim](version {turn['versions'].index(turn['id']) + 1} of {len(turn['versions'])})[/]"
            terminal.out.print(f"\n› {escape(turn['question'])}{versions if len(turn['versions']) > 1 else ''}")
            terminal.out.print(STATES.get(turn["state"], "") or escape(shown(turn["answer"])))
            if turn["state"] == "incomplete" and turn["answer"]:
                terminal.out.print(shown(turn["answer"]), markup=False)
            for cited in {(c["marker"], c["chunk_id"]): c for c in turn["citations"]}.values():
                page = f", page {cited['page']}" if cited["page"] else ""
                terminal.out.print(
                    f"[dim]\\[{cited['marker']}] {escape(cited['document']['name'])}{page}{NOW[cited['now']['state']]}[/]"
                )

    def _current(self) -> str:
        if not self.conversation:
            raise BadRequest("Nothing was asked in this conversation yet.", "Ask, or /open another one.")
        return self.conversation

    def _last(self) -> dict[str, Any]:
        turns = self.client.conversation(self._current())["turns"]
        if not turns:
            raise BadRequest("Nothing was asked in this conversation yet.", "Ask first.")
        last: dict[str, Any] = turns[-1]
        return last

    def _say(self, text: str) -> None:
        if not self.as_json:
            terminal.err.print(f"[dim]{escape(text)}[/]")


@dataclass(frozen=True, slots=True)
class Command:
    run: Callable[[Chat, str], None]
    takes: str
    about: str


COMMANDS = {
    "help": Command(Chat.help, "", "these commands"),
    "new": Command(Chat.new, "", "begin another conversation"),
    "list": Command(Chat.listing, "", "the conversations, the last used first"),
    "open": Command(Chat.open, "NUMBER", "go on with one of the list"),
    "history": Command(Chat.history, "", "this conversation, with where its citations stand now"),
    "sources": Command(Chat.sources, "[NUMBER]", "the passages that were found for the last answer, or one whole"),
    "again": Command(Chat.again, "", "answer the last question anew; the old answer is kept"),
    "edit": Command(Chat.edit, "QUESTION", "ask this in the place of the last question"),
    "title": Command(Chat.title, "TEXT", "name this conversation"),
    "export": Command(Chat.export, "[FILE]", "this conversation as Markdown"),
    "delete": Command(Chat.delete, "", "delete this conversation"),
    "quit": Command(Chat.quit, "", "leave; everything is kept"),
}
STATES = {
    "removed": "[yellow]This answer was removed: a document that it was made from was deleted.[/]",
    "incomplete": "[yellow]This answer broke off.[/]",
}
NOW = {
    "current": "",
    "moved": " (elsewhere in the present version)",
    "changed": " (not in the present version)",
    "gone": " (the document is gone)",
}


def converse(client: Client, *, collection: str, conversation: str, top_k: int, as_json: bool) -> None:
    """Reads from the terminal, or from what is piped in. Raises NotFound for a conversation that is not there."""
    chat = Chat(client, collection, top_k, as_json)
    if conversation:
        chat.open(conversation)
    elif not as_json and sys.stdin.isatty():
        terminal.err.print(
            f"[dim]{escape(client.where)}, collection {escape(collection)}. /help lists commands; Ctrl-C stops an answer.[/]"
        )
    if sys.stdin.isatty():
        # Earlier lines by the arrow keys, where Python was built with it.
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401
        chat.run(input)
    else:
        chat.run(_piped)


def _piped(_: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
