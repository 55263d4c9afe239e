#!/usr/bin/env python3
"""The command line as a user meets it: exit codes, messages, JSON keys, what is written and what is not.

usage: cli_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
Needs the standard library only. Files of the shared folder (VULTUS_SHARED) are used where present, and must be in CI.
"""
import csv
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest

VULTUS, PACK = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
SHARED = pathlib.Path(os.environ.get("VULTUS_SHARED") or pathlib.Path(__file__).parents[2] / ".." / "shared").resolve()
LANDMARKS = PACK / "fr_landmark.onnx"  # input [1,1,64,64] -> output [1,136]


def vultus(*arguments, timeout=300, **environment):
    return subprocess.run([str(VULTUS), *map(str, arguments)], capture_output=True, text=True, errors="replace",
                          timeout=timeout, env={**os.environ, **environment})


def write_npy(path, shape, descr="<f4", fill=0):
    header = str({"descr": descr, "fortran_order": False, "shape": tuple(shape)})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    count = 1
    for size in shape:
        count *= size
    body = bytes(count * int(descr[2:])) if not fill else struct.pack("<f", fill) * count
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode("latin-1") + body)
    return path


def needs_shared(relative):
    path = SHARED / relative
    if not path.exists():
        if os.environ.get("CI"):
            raise AssertionError(f"{path} is absent in CI")
        raise unittest.SkipTest(f"{path} is absent (set VULTUS_SHARED)")
    return path


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vultus-cli-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def expect(self, code, *arguments, says="", **environment):
        result = vultus(*arguments, **environment)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertIn(says.lower(), (result.stdout + result.stderr).lower())
        return result

    def refuse(self, code, *arguments, says, **environment):
        """Fails with the code and one sentence on stderr, soon, and the output folder stays as it was."""
        out = self.folder / "refused"
        start = time.monotonic()
        result = self.expect(code, *arguments, "-o", out, says=says, **environment)
        self.assertLess(time.monotonic() - start, 60)
        self.assertFalse(out.exists() and any(out.rglob("*.*")), f"written: {list(out.rglob('*')) if out.exists() else ''}")
        lines = [line for line in result.stderr.splitlines() if line.startswith("vultus: ")]
        self.assertEqual(len(lines), 1, result.stderr)

    def image(self):
        return write_npy(self.folder / "face.npy", [1, 1, 64, 64], fill=0.5)


class General(Cli):
    def test_no_arguments_prints_help_and_is_a_usage_error(self):
        self.expect(2, says="Examples")

    def test_help_and_version(self):
        self.expect(0, "--help", says="not a medical device")
        self.expect(0, "--version", says="vultus")
        for command in ("process", "run", "plan", "bench", "devices"):
            self.expect(0, command, "--help", says=command)

    def test_an_unknown_option_is_a_usage_error(self):
        self.expect(2, "bench", LANDMARKS, "--devise", "cpu")

    def test_devices_lists_the_cpu_in_text_and_json(self):
        self.expect(0, "devices", says="oneDNN")
        document = json.loads(self.expect(0, "devices", "--json").stdout)
        self.assertIn("name", document["cpu"])
        self.assertIn("gpu", document)

    def test_without_a_vulkan_driver_auto_runs_on_the_cpu_and_says_so(self):
        result = self.expect(0, "run", LANDMARKS, "--input", self.image(), "-o", self.folder / "out", "--json",
                             VK_DRIVER_FILES="/nonexistent", VK_ICD_FILENAMES="/nonexistent")
        self.assertIn("CPU", json.loads(result.stdout)["device"])

    def test_without_a_vulkan_driver_gpu_is_refused(self):
        self.refuse(6, "run", LANDMARKS, "--input", self.image(), "--device", "gpu", says="driver",
                    VK_DRIVER_FILES="/nonexistent", VK_ICD_FILENAMES="/nonexistent")


class Run(Cli):
    def test_writes_one_array_per_output(self):
        out = self.folder / "out"
        self.expect(0, "run", LANDMARKS, "--input", self.image(), "-o", out, "--device", "cpu")
        self.assertEqual([p.name for p in out.iterdir()], ["output.npy"])
        self.assertIn(b"(1, 136)", (out / "output.npy").read_bytes()[:80])

    def test_existing_output_is_kept_without_force(self):
        out = self.folder / "out"
        arguments = ["run", LANDMARKS, "--input", self.image(), "-o", out, "--device", "cpu"]
        self.expect(0, *arguments)
        before = (out / "output.npy").stat().st_mtime_ns
        self.expect(8, *arguments, says="--force")
        self.assertEqual((out / "output.npy").stat().st_mtime_ns, before)
        self.expect(0, *arguments, "--force")

    def test_arrays_of_the_wrong_shape_or_type_are_refused(self):
        self.refuse(4, "run", LANDMARKS, "--input", write_npy(self.folder / "x.npy", [1, 1, 64, 65]), says="1x1x64x64")
        self.refuse(4, "run", LANDMARKS, "--input", write_npy(self.folder / "x.npy", [1, 1, 64, 64], "<f8"), says="float64")

    def test_broken_arrays_are_refused(self):
        path = self.image()
        path.write_bytes(path.read_bytes()[:1000])
        self.refuse(4, "run", LANDMARKS, "--input", path, says="face.npy")
        self.refuse(4, "run", LANDMARKS, "--input", self.folder / "missing.npy", says="missing.npy")
        self.refuse(2, "run", LANDMARKS, says="--input input=")
        self.refuse(2, "run", LANDMARKS, "--input", f"nonsense={self.image()}", says="input")

    def test_broken_models_are_refused(self):
        model = self.folder / "broken.onnx"
        for content, says in ((b"", "broken.onnx"), (b"plain text, no network", "broken.onnx"),
                              (LANDMARKS.read_bytes()[:50000], "broken.onnx")):
            model.write_bytes(content)
            self.refuse(5, "run", model, "--input", self.image(), says=says)
        self.refuse(5, "run", self.folder / "missing.onnx", "--input", self.image(), says="missing.onnx")

    def test_output_below_a_file_is_not_writable(self):
        (self.folder / "file").write_text("in the way")
        self.expect(8, "run", LANDMARKS, "--input", self.image(), "-o", self.folder / "file" / "out", "--device", "cpu")


class Reports(Cli):
    def test_bench_json_has_the_documented_keys(self):
        document = json.loads(self.expect(0, "bench", LANDMARKS, "--device", "cpu,gpu", "--runs", 3, "--json").stdout)
        self.assertEqual([run["device"] for run in document["runs"]], ["cpu", "gpu"])
        for run in document["runs"]:
            for key in ("precision batch median_ms p95_ms min_ms gflops dispatches barriers uploads downloads upload_bytes "
                        "download_bytes arena_bytes").split():
                self.assertIn(key, run)
            self.assertLessEqual(run["min_ms"], run["median_ms"])
        gpu = document["runs"][1]
        self.assertEqual((gpu["uploads"], gpu["downloads"]), (1, 1))

    def test_plan_json_has_the_documented_keys_and_a_reason_for_every_node(self):
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--json").stdout)
        for key in ("model device ops gpu_ops cpu_ops coverage_ops coverage_macs partitions transfers transfer_bytes "
                    "dispatches arena_bytes").split():
            self.assertIn(key, document)
        self.assertEqual(document["coverage_macs"], 1)
        self.assertEqual(len(document["nodes"]), document["ops"])
        self.assertTrue(all(node["reason"] for node in document["nodes"]))

    def test_plan_in_text_names_coverage(self):
        self.expect(0, "plan", LANDMARKS, "--device", "cpu", says="partitions")

    def test_the_operator_table_in_docs_is_up_to_date(self):
        table = self.expect(0, "operators").stdout
        self.assertEqual((pathlib.Path(__file__).parents[2] / "docs" / "operators.md").read_text(), table)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
