"""What import-linter cannot say: the command line is above everything, and the parts are what the design names."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for package in ("rag", "ingest", "api", "eval") for p in (ROOT / package).rglob("*.py"))
HEAVY = {
    "torch",
    "open_clip",
    "sentence_transformers",
    "chromadb",
    "onnxruntime",
    "rapidocr",
    "xllamacpp",
    "langchain_openai",
}


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_the_command_line_and_heavy_packages_wait(path: Path) -> None:
    assert "tuwen" not in imports(path)
    assert not imports(path, top_level=True) & HEAVY


def test_only_the_wiring_names_concrete_adapters() -> None:
    adapters = ("rag.encoders.", "rag.rerankers.", "rag.generators.", "rag.stores.chroma")
    for path in (ROOT / "api").rglob("*.py"):
        if path.parent.name != "wiring":
            text = path.read_text(encoding="utf-8")
            assert not [name for name in adapters if name in text], path
