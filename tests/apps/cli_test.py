#!/usr/bin/env python3
"""The command line as a user meets it, in general and with one network: exit codes, messages, what is written and what is not.

usage: cli_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
Needs the standard library only.
"""
import json
import sys
import unittest

from cli_cases import LANDMARKS, Cli, write_npy


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

    def test_convolution_kernels_are_forced_or_refused(self):
        for family in ("direct", "tile"):
            out = self.folder / family
            self.expect(0, "run", LANDMARKS, "--input", self.image(), "-o", out, "--device", "gpu", "--conv", family)
        self.refuse(6, "run", LANDMARKS, "--input", self.image(), "--device", "gpu", "--device-index", "llvmpipe",
                    "--conv", "coop", says="cooperative-matrix convolutions")
        self.refuse(2, "run", LANDMARKS, "--input", self.image(), "--device", "cpu", "--conv", "tile", says="--conv tile")

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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
