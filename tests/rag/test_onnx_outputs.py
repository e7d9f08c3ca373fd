"""A graph's nodes and outputs, against what the `onnx` package reads of the same file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from rag.onnx_outputs import Node, nodes, with_output
from rag.onnx_session import open_session

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=200)


def saved(path: Path, hidden: str = "hidden", width: int = 3) -> onnx.ModelProto:
    weight = numpy_helper.from_array(np.full((width, 2), 0.5, np.float32), "weight")
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["given", "given"], [hidden], name="square"),
            helper.make_node("MatMul", [hidden, "weight"], ["summed"]),
            helper.make_node("LpNormalization", ["summed"], ["embedding"], axis=-1, p=2),
        ],
        "graph",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, ["rows", width])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["rows", 2])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, doc_string="of a test")
    onnx.save(model, str(path))
    return model


@given(NAMES, st.integers(1, 400))
def test_nodes_are_those_of_the_file(tmp_path_factory: pytest.TempPathFactory, hidden: str, width: int) -> None:
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    model = saved(path, hidden, width)
    assert nodes(path) == [Node(n.op_type, tuple(n.input), tuple(n.output)) for n in model.graph.node]
    merged = onnx.load_from_string(with_output(path, hidden))
    assert [output.name for output in merged.graph.output] == ["embedding", hidden]
    assert merged.graph.output[1].type.tensor_type.elem_type == TensorProto.FLOAT
    assert merged.graph.node == model.graph.node
    assert merged.doc_string == "of a test"


def test_a_further_output_is_computed_and_the_first_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    saved(path)
    session = open_session(with_output(path, "hidden"), 1)
    given = np.array([[1, 2, 3]], np.float32)
    embedding, hidden = session.run(["embedding", "hidden"], {"given": given})
    assert hidden.tolist() == [[1, 4, 9]]
    assert embedding == pytest.approx(np.full((1, 2), 0.5**0.5))


def test_what_is_no_protocol_buffer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3f not one")
    with pytest.raises(ValueError, match="kind 7"):
        nodes(path)
