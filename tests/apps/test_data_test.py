#!/usr/bin/env python3
"""--input with folders of test data in the ONNX layout, written here byte by byte.

usage: test_data_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
"""
import json
import os
import pathlib
import struct
import sys
import unittest

from cli_cases import Cli


def protobuf(*fields):
    """A message of (number, value): integers as varints, bytes and text as they are."""
    def varint(n):
        n &= (1 << 64) - 1
        head = b""
        while n > 127:
            head, n = head + bytes([n & 127 | 128]), n >> 7
        return head + bytes([n])

    message = b""
    for number, value in fields:
        if isinstance(value, int):
            message += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            message += varint(number << 3 | 2) + varint(len(value)) + value
    return message


def float_tensor(shape, values, name=""):
    """An onnx TensorProto."""
    return protobuf(*((1, size) for size in shape), (2, 1), (8, name), (9, struct.pack(f"<{len(values)}f", *values)))


def subtraction(path):
    """A network y = a - b of [1, 2]."""
    shape = protobuf(*((1, protobuf((1, size))) for size in (1, 2)))
    values = [protobuf((1, name), (2, protobuf((1, protobuf((1, 1), (2, shape)))))) for name in ("a", "b", "y")]
    node = protobuf((1, "a"), (1, "b"), (2, "y"), (3, "subtract"), (4, "Sub"))
    graph = protobuf((1, node), (2, "g"), (11, values[0]), (11, values[1]), (12, values[2]))
    path.write_bytes(protobuf((1, 7), (8, protobuf((1, ""), (2, 13))), (7, graph)))
    return path


class TestData(Cli):
    """--input with folders in the ONNX layout; the network is y = a - b."""

    def setUp(self):
        super().setUp()
        self.model = subtraction(self.folder / "model.onnx")
        self.sets = self.folder / "sets"
        self.out = self.folder / "out"

    def write_set(self, number, a, b, y=None, names=("", "")):
        folder = self.sets / f"test_data_set_{number}"
        folder.mkdir(parents=True)
        for i, (values, name) in enumerate(zip((a, b), names)):
            (folder / f"input_{i}.pb").write_bytes(float_tensor([1, len(values)], values, name))
        if y:
            (folder / "output_0.pb").write_bytes(float_tensor([1, len(y)], y))
        return folder

    def run_on(self, code, folder, *options, device="cpu", **expected):
        return self.expect(code, "run", self.model, "--input", folder, "-o", self.out, "--device", device, *options, **expected)

    def test_run_compares_outputs_and_differences_have_their_exit_code(self):
        folder = self.write_set(0, [5, 7], [1, 2], [4, 5])
        self.run_on(0, folder, says="worst error 0.00e+00 absolute")
        self.assertEqual(struct.unpack("<2f", (self.out / "y.npy").read_bytes()[-8:]), (4, 5))
        (folder / "output_0.pb").write_bytes(float_tensor([1, 2], [4, 8]))
        document = json.loads(self.run_on(9, folder, "--force", "--json").stdout)
        error = document["outputs"][0]["error"]
        self.assertEqual((error["max_abs"], error["max_rel"], error["within"]), (3, 0.375, False))
        self.assertAlmostEqual(error["rel_l2"], 3 / 80 ** 0.5)
        self.run_on(9, folder, "--force", says="over the tolerance of 0.001")
        self.run_on(0, folder, "--force", "--tolerance", 0.5)
        (folder / "output_0.pb").write_bytes(float_tensor([2, 1], [4, 5]))
        self.run_on(9, folder, "--force", says="is float32 1x2, not float32 2x1")
        (folder / "output_0.pb").unlink()
        self.assertNotIn("error", json.loads(self.run_on(0, folder, "--force", "--json").stdout)["outputs"][0])

    def test_run_takes_all_sets_in_natural_order_each_into_its_folder(self):
        self.write_set(10, [1, 1], [0, 0], [1, 1])
        self.write_set(2, [2, 2], [0, 1], [-2, -1], names=("b", "a"))
        document = json.loads(self.run_on(0, self.sets, "--json", device="gpu").stdout)
        self.assertEqual([pathlib.Path(output["data_set"]).name for output in document["outputs"]],
                         ["test_data_set_2", "test_data_set_10"])
        self.assertTrue(all(output["error"]["within"] for output in document["outputs"]))
        self.assertEqual(sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*.npy")),
                         ["test_data_set_10/y.npy", "test_data_set_2/y.npy"])
        self.run_on(8, self.sets, says="--force")

    def test_check_reports_every_output_and_keeps_the_worst_of_every_layer(self):
        self.write_set(0, [5, 7], [1, 2], [4, 5])
        self.write_set(1, [6000.5, 7], [1, 2], [5999.5, 5])
        document = json.loads(self.expect(0, "check", self.model, "--input", self.sets, "--no-recipe", "--json").stdout)
        self.assertEqual([pathlib.Path(output["data_set"]).name for output in document["outputs"]],
                         ["test_data_set_0", "test_data_set_1"])
        self.assertEqual(document["outputs"][0]["max_abs"], 0)
        self.assertEqual(document["worst"]["largest"], 5999.5)
        self.assertAlmostEqual(document["worst"]["max_abs"], document["outputs"][1]["max_abs"])
        (self.sets / "test_data_set_0" / "output_0.pb").write_bytes(float_tensor([1, 2], [4, 8]))
        result = self.expect(9, "check", self.model, "--input", self.sets, "--no-recipe", says="over the tolerance")
        self.assertIn("every layer is within", result.stdout)

    def test_bench_takes_the_first_set_and_says_so(self):
        self.write_set(1, [5, 7], [1, 2], [4, 6])
        self.write_set(3, [0, 0], [0, 0])
        result = self.expect(0, "bench", self.model, "--input", self.sets, "--runs", 1, says="the first of 2")
        self.assertIn("test_data_set_1", result.stdout)
        run, = json.loads(self.expect(0, "bench", self.model, "--input", self.sets, "--runs", 1, "--json").stdout)["runs"]
        self.assertEqual((run["data_sets_found"], run["outputs"][0]["max_abs"]), (2, 1))

    def test_single_files_of_a_set_are_arrays_too(self):
        folder = self.write_set(0, [5, 7], [1, 2])
        self.expect(0, "run", self.model, "--input", f"a={folder / 'input_0.pb'}", "--input", f"b={folder / 'input_1.pb'}",
                    "-o", self.out, "--device", "cpu")
        self.assertEqual(struct.unpack("<2f", (self.out / "y.npy").read_bytes()[-8:]), (4, 5))
        self.refuse(2, "run", self.model, "--input", f"a={folder}", says="without a name")
        self.refuse(2, "run", self.model, "--input", folder, "--input", folder, says="folder of test data")

    def test_bad_folders_are_refused_before_anything_runs(self):
        def refuse(says, folder=None, code=4):
            self.refuse(code, "run", self.model, "--input", folder or self.sets, "--device", "cpu", says=says)

        refuse("which this is not", self.folder / "absent", code=2)
        self.sets.mkdir()
        refuse("holds neither input_0.pb nor a folder test_data_set_0")
        self.write_set(0, [5, 7], [1, 2])
        second = self.write_set(1, [5, 7], [1, 2])
        (second / "input_1.pb").unlink()
        refuse("input_1.pb is missing; the network has 2 inputs (a, b)")
        sound = float_tensor([1, 2], [1, 2])
        for content, says in ((sound[:-1], "cut off"), (b"", "holds no tensor"), (float_tensor([2], [1, 2]), "takes float32 1x2"),
                              (protobuf((1, 1), (1, 2), (2, 7), (9, bytes(16))), "holds int64 1x2"),
                              (protobuf((1, "s"), (2, 1), (3, sound)), "holds a sequence, an optional value")):
            (second / "input_1.pb").write_bytes(content)
            refuse(says)
        os.truncate(second / "input_1.pb", 1 << 31)
        refuse("over 2 GiB")
        (second / "input_1.pb").write_bytes(sound)
        (second / "input_2.pb").write_bytes(sound)
        refuse("holds input_2.pb, but the network has 2 inputs (a, b)")
        (second / "input_2.pb").rename(second / "output_0.pb")
        (second / "output_0.pb").write_bytes(sound[:5])
        refuse("output_0.pb")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
