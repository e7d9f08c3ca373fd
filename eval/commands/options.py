"""Options that several commands of `tuwen eval` have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="TUWEN_DATA", help="Data directory (default: ./.tuwen).", show_default=False),
]
Server = Annotated[str, typer.Option("--server", envvar="TUWEN_SERVER", help="Use the server at this URL.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
