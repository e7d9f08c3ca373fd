"""A tiny model in the packed format of multilingual-e5-small, and the encoder built from it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.encoders.e5_build import ensure_e5
from rag.encoders.text_onnx import OnnxTextEncoder

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 64, 2, 4, 128, 48
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    ":",
    *"abcdefghijklmnopqrstuvwxyz",
    *"数据库什么是向量存储",
    "▁the",
    "ing",
]


def _pack(rng: np.random.Generator, rows: int, columns: int, spread: float) -> bytes:
    """Random Q4_0 blocks: a float16 scale, then 16 bytes with two weights each."""
    blocks = rows * columns // 32
    record = np.zeros(blocks, np.dtype([("scale", "<f2"), ("halves", "u1", (16,))]))
    record["scale"] = rng.uniform(0.5, 1.0, blocks) * spread / 4
    record["halves"] = rng.integers(0, 256, (blocks, 16))
    return record.tobytes()


def write_packed(path: Path, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    vocabulary = len(PIECES)
    tensors: list[tuple[str, int, bytes, int]] = []

    def plain(name: str, values: np.ndarray) -> None:
        tensors.append((name, 0, values.astype("<f4").tobytes(), values.size))

    def packed(name: str, rows: int, columns: int) -> None:
        tensors.append((name, 1, _pack(rng, rows, columns, 2 / np.sqrt(columns)), rows * columns))

    packed("emb.word", vocabulary, HIDDEN)
    plain("emb.pos", rng.normal(0, 0.1, POSITIONS * HIDDEN))
    plain("emb.type", rng.normal(0, 0.1, 2 * HIDDEN))
    norms = ["emb.ln", *(f"l{i}.{n}" for i in range(LAYERS) for n in ("aln", "oln"))]
    for name in norms:
        plain(f"{name}.w", rng.uniform(0.5, 1.5, HIDDEN))
        plain(f"{name}.b", rng.normal(0, 0.1, HIDDEN))
    for i in range(LAYERS):
        for part, rows, columns in (
            ("q", HIDDEN, HIDDEN), ("k", HIDDEN, HIDDEN), ("v", HIDDEN, HIDDEN), ("ao", HIDDEN, HIDDEN),
            ("fi", INNER, HIDDEN), ("fo", HIDDEN, INNER),
        ):  # fmt: skip
            packed(f"l{i}.{part}.w", rows, columns)
            plain(f"l{i}.{part}.b", rng.normal(0, 0.1, rows))
    text = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *(len(piece) for piece in text)])
    scores = [0.0] * 4 + [-2.0 - 0.01 * i for i in range(vocabulary - 4)]
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7ifi", HIDDEN, LAYERS, HEADS, INNER, vocabulary, POSITIONS, 2, 1e-12, 32)
    head += struct.pack("<5iQ", vocabulary, 0, 2, 1, 3, int(offsets[-1]))
    head += offsets.astype("<u4").tobytes() + np.array(scores, "<f4").tobytes() + b"".join(text)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xA0, 1, 0x20)
    directory_size = 4 + sum(2 + len(name) + 1 + 4 + 8 + 8 for name, *_ in tensors)
    offset = len(head) + directory_size
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, kind, data, count in tensors:
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", kind, count, offset + len(body), len(data))
        body += data
    path.write_bytes(head + directory + body)


@pytest.fixture(scope="session")
def write_packed_e5() -> Callable[[Path, int], None]:
    return write_packed


@pytest.fixture(scope="session")
def packed_e5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "tiny.bin"
    write_packed(path)
    return path


@pytest.fixture(scope="session")
def tiny_model_dir(packed_e5: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_e5(packed_e5, "a" * 64, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tiny_encoder(tiny_model_dir: Path) -> OnnxTextEncoder:
    return OnnxTextEncoder(tiny_model_dir, threads=1)
