"""Writes the ONNX project's node tests as files that test_onnx_backend reads.

    prepare.py PACKAGES FOLDER

PACKAGES is where tools/onnx-tests has put the onnx package. Of its node tests those are taken whose graph is made of one
of the operators below, written directly (not its expanded twin), with inputs and outputs of float32, int32, int64 and
bool only: 358 of version 1.17. FOLDER gets a folder a test: its input_K.pb and output_K.pb as they are, case.json, and the
model with some inputs made constants, as they are in an exported network: in cpu.onnx those that say what to do (a shape,
axes, a count), in gpu.onnx the weights as well. What is data stays an input.
Ends with 77 when the package is absent, which ctest takes as a skip; fails instead where CI is set.
"""

import json
import os
import pathlib
import shutil
import sys

PACKAGES, FOLDER = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
sys.path.insert(0, str(PACKAGES))
try:
    import onnx
    import onnx.numpy_helper
except ImportError as error:
    print(f"{error}: run tools/onnx-tests", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)

OPERATORS = """
Add AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv ConvTranspose DepthToSpace Div Einsum
Elu Equal Erf Exp Expand Flatten Gather Gelu Gemm GlobalAveragePool Greater HardSwish InstanceNormalization
LayerNormalization LeakyRelu Log MatMul MaxPool Mish Mul NonMaxSuppression Not PRelu Pad Pow Range ReduceL2 ReduceMax
ReduceMean ReduceSum Relu Reshape Resize Shape Sigmoid Slice Softmax Split Sqrt Squeeze Sub Tile TopK Transpose Unsqueeze
Upsample Where
""".split()
CORE_TYPES = {onnx.TensorProto.FLOAT, onnx.TensorProto.INT32, onnx.TensorProto.INT64, onnx.TensorProto.BOOL}
EXPECTED_CASES = 358

# From which input on an operator's inputs say what to do, and from which on they are weights or bounds.
FIRST_PARAMETER = {
    "ConstantOfShape": 0, "Range": 0, "Expand": 1, "Pad": 1, "ReduceL2": 1, "ReduceMax": 1, "ReduceMean": 1,
    "ReduceSum": 1, "Reshape": 1, "Resize": 1, "Slice": 1, "Split": 1, "Squeeze": 1, "Tile": 1, "TopK": 1,
    "Unsqueeze": 1, "Upsample": 1, "NonMaxSuppression": 2,
}
FIRST_WEIGHT = {
    "BatchNormalization": 1, "Clip": 1, "Conv": 1, "ConvTranspose": 1, "Gemm": 1, "InstanceNormalization": 1,
    "LayerNormalization": 1,
}


def is_core(name, model):
    operators = {node.op_type for node in model.graph.node}
    if "_expanded" in name or len(operators) != 1 or not operators <= set(OPERATORS):
        return False
    values = [*model.graph.input, *model.graph.output]
    return all(v.type.HasField("tensor_type") and v.type.tensor_type.elem_type in CORE_TYPES for v in values)


def read_arrays(folder, count):
    arrays = []
    for i in range(count):
        proto = onnx.TensorProto()
        proto.ParseFromString((folder / f"input_{i}.pb").read_bytes())
        arrays.append(onnx.numpy_helper.to_array(proto))
    return arrays


def with_constants(model, arrays, first):
    """A copy where an operator's inputs from first[operator] on are initialisers."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    parameters = set()
    for node in model.graph.node:
        parameters.update(node.input[first.get(node.op_type, len(node.input)):])
    inputs = list(copy.graph.input)
    del copy.graph.input[:]
    for value, array in zip(inputs, arrays):
        if value.name in parameters:
            copy.graph.initializer.append(onnx.numpy_helper.from_array(array, value.name))
        else:
            copy.graph.input.append(value)
    return copy


def write_case(source, model, folder):
    folder.mkdir()
    sets = list(source.glob("test_data_set_*"))
    if len(sets) != 1:
        sys.exit(f"{source.name} has {len(sets)} data sets, where one is expected")
    tolerance = {"rtol": 1e-3, "atol": 1e-7}
    if (source / "data.json").exists():
        own = json.loads((source / "data.json").read_text())
        tolerance.update({key: own[key] for key in tolerance if key in own})
    inputs = [value.name for value in model.graph.input]
    outputs = [value.name for value in model.graph.output]
    for kind, names in (("input", inputs), ("output", outputs)):
        for i in range(len(names)):
            shutil.copy(sets[0] / f"{kind}_{i}.pb", folder)
    arrays = read_arrays(sets[0], len(inputs))
    constants = {}
    for device, first in {"cpu": FIRST_PARAMETER, "gpu": FIRST_PARAMETER | FIRST_WEIGHT}.items():
        copy = with_constants(model, arrays, first)
        constants[device] = len(inputs) - len(copy.graph.input)
        (folder / f"{device}.onnx").write_bytes(copy.SerializeToString())
    case = {"inputs": inputs, "outputs": outputs, "constants": constants, **tolerance}
    (folder / "case.json").write_text(json.dumps(case))


def main():
    part = FOLDER.with_name(FOLDER.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    count = 0
    for source in sorted((PACKAGES / "onnx/backend/test/data/node").iterdir()):
        if not (source / "model.onnx").exists():
            continue
        model = onnx.load(str(source / "model.onnx"))
        if is_core(source.name, model):
            write_case(source, model, part / source.name.removeprefix("test_"))
            count += 1
    if count != EXPECTED_CASES:
        sys.exit(f"onnx {onnx.__version__} has {count} such tests, where {EXPECTED_CASES} are expected")
    shutil.rmtree(FOLDER, ignore_errors=True)
    part.rename(FOLDER)
    print(f"{count} node tests of onnx {onnx.__version__} in {FOLDER.name}")


main()
