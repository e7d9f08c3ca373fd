"""EfficientNet-Lite as an ONNX graph: pixels in, class probabilities out.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks" (ICML 2019); the Lite variants have
no squeeze-and-excitation, ReLU6 for swish, and a stem and a head of fixed width, so that they run well quantised.
Batch norms are folded into the convolutions before them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ModelCorrupt
from rag.protocols import Vectors

EPSILON = 1e-3
"""Of the batch norms, as trained (TensorFlow's default, a hundred times torch's)."""
OPSET = 17


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one resolution, by the base network B0: `repeats` before depth scaling."""

    repeats: int
    kernel: int
    stride: int


STAGES = (
    Stage(1, 3, 1),
    Stage(2, 3, 2),
    Stage(2, 5, 2),
    Stage(3, 3, 2),
    Stage(3, 5, 1),
    Stage(4, 5, 2),
    Stage(1, 3, 1),
)
LITE2_DEPTH = 1.2
LITE2_SIDE = 260


def blocks(depth: float) -> list[tuple[int, int]]:
    """`(kernel, stride)` of each block; the first and the last stage are not deepened."""
    found: list[tuple[int, int]] = []
    for index, stage in enumerate(STAGES):
        fixed = index in {0, len(STAGES) - 1}
        repeats = stage.repeats if fixed else math.ceil(stage.repeats * depth)
        found += [(stage.kernel, stage.stride if n == 0 else 1) for n in range(repeats)]
    return found


def build(tensors: Mapping[str, npt.NDArray[Any]], depth: float = LITE2_DEPTH, side: int = LITE2_SIDE) -> bytes:
    """The serialised model: `pixels` float32 `[n, 3, side, side]` -> `probabilities` `[n, classes]`.

    `tensors` are named as in the PyTorch ports (`_conv_stem.weight`, `_blocks.0._bn1.weight`, …). Raises ModelCorrupt
    when one is missing or has another shape.
    """
    from onnx import TensorProto, checker, helper

    graph = _Graph(tensors)
    last = graph.convolution("pixels", "_conv_stem", "_bn0", stride=2, clip=True)
    for index, (kernel, stride) in enumerate(blocks(depth)):
        last = graph.block(last, f"_blocks.{index}", kernel, stride)
    last = graph.convolution(last, "_conv_head", "_bn1", clip=True)
    last = graph.add("GlobalAveragePool", [last])
    last = graph.add("Flatten", [last], axis=1)
    last = graph.add("Gemm", [last, *graph.linear("_fc")], transB=1)
    graph.add("Softmax", [last], output="probabilities", axis=1)
    classes = len(tensors["_fc.bias"])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, side, side])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=9,
    )
    checker.check_model(model)
    return bytes(model.SerializeToString())


class _Graph:
    def __init__(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        from onnx import helper, numpy_helper

        self._helper, self._numpy_helper = helper, numpy_helper
        self._tensors = tensors
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._zero = self._constant("zero", np.float32(0.0))
        self._six = self._constant("six", np.float32(6.0))

    def block(self, source: str, name: str, kernel: int, stride: int) -> str:
        """Inverted residual (Sandler et al., MobileNetV2, 2018): expand, depthwise, project; added to where it began."""
        last = source
        if f"{name}._expand_conv.weight" in self._tensors:
            last = self.convolution(last, f"{name}._expand_conv", f"{name}._bn0", clip=True)
        depthwise = f"{name}._depthwise_conv"
        if self._tensor(f"{depthwise}.weight").shape[2] != kernel:
            raise _unlike(depthwise)
        last = self.convolution(last, depthwise, f"{name}._bn1", stride=stride, clip=True)
        last = self.convolution(last, f"{name}._project_conv", f"{name}._bn2")
        first = self._tensors.get(f"{name}._expand_conv.weight", self._tensor(f"{depthwise}.weight"))
        channels = first.shape[1] if f"{name}._expand_conv.weight" in self._tensors else first.shape[0]
        if stride == 1 and channels == self._tensor(f"{name}._project_conv.weight").shape[0]:
            last = self.add("Add", [last, source])
        return last

    def convolution(self, source: str, name: str, norm: str, *, stride: int = 1, clip: bool = False) -> str:
        weight, bias = self._folded(name, norm)
        out, per_group, kernel, _ = weight.shape
        constants = [self._constant(f"{name}.w", weight), self._constant(f"{name}.b", bias)]
        last = self.add(
            "Conv",
            [source, *constants],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            group=out if per_group == 1 else 1,
            # TensorFlow's "same": at stride 2 the odd pixel of padding is below and to the right.
            auto_pad="SAME_UPPER",
        )
        return self.add("Clip", [last, self._zero, self._six]) if clip else last

    def linear(self, name: str) -> list[str]:
        return [self._constant(f"{name}.{part}", self._tensor(f"{name}.{part}")) for part in ("weight", "bias")]

    def add(self, kind: str, inputs: list[str], *, output: str = "", **attributes: Any) -> str:
        name = output or f"v{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _folded(self, name: str, norm: str) -> tuple[Vectors, Vectors]:
        weight = self._tensor(f"{name}.weight").astype(np.float64)
        scale = self._tensor(f"{norm}.weight") / np.sqrt(
            self._tensor(f"{norm}.running_var").astype(np.float64) + EPSILON
        )
        if weight.ndim != 4 or scale.shape != weight.shape[:1]:
            raise _unlike(name)
        bias = self._tensor(f"{norm}.bias") - self._tensor(f"{norm}.running_mean") * scale
        return (weight * scale[:, None, None, None]).astype(np.float32), bias.astype(np.float32)

    def _constant(self, name: str, value: npt.ArrayLike) -> str:
        self.constants.append(self._numpy_helper.from_array(np.asarray(value, dtype=np.float32), name))
        return name

    def _tensor(self, name: str) -> npt.NDArray[Any]:
        try:
            return self._tensors[name]
        except KeyError:
            raise _unlike(name) from None


def _unlike(name: str) -> ModelCorrupt:
    return ModelCorrupt(
        f"The label model's weights are not those of EfficientNet-Lite2: {name} is missing or has another shape.",
        "Pull the model again: `tuwen models pull`.",
    )
