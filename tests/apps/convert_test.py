#!/usr/bin/env python3
"""`vultus convert` as a user meets it, and what it writes as the ONNX project's checker sees it.

usage: convert_test.py VULTUS_BINARY DEFAULT_PACK ONNX_PACKAGES [unittest arguments]
ONNX_PACKAGES is where tools/onnx-tests has put the onnx package; without it the checker's test is skipped, but not in CI.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import unittest

from cli_cases import LANDMARKS, Cli, needs_shared

ONNX_PACKAGES = pathlib.Path(sys.argv[3]).resolve()
CHECK = """
import sys
sys.path.insert(0, sys.argv[1])
import onnx
for path in sys.argv[2:]:
    onnx.checker.check_model(path, full_check=True)
    print(onnx.load(path).producer_name)
"""


class Convert(Cli):
    def setUp(self):
        super().setUp()
        self.pack = self.folder / "pack"

    def convert(self, *arguments, code=0, says=""):
        return self.expect(code, "convert", *arguments, "-o", self.pack, says=says)

    def manifest(self):
        return json.loads((self.pack / "pack.json").read_text())

    def test_help_says_what_the_user_answers_for(self):
        self.expect(0, "convert", "--help", says="right to use")

    def test_checkpoint_and_onnx_make_a_pack_that_process_runs(self):
        checkpoint = needs_shared("models/retinaface_mnet025.pth")
        picture = needs_shared("media/two_people.jpg")
        self.convert(checkpoint, "--licence", "MIT", says="needs landmarks as well")
        self.convert(LANDMARKS, "--licence", "none known", says="ready for vultus process")
        detector = self.manifest()["networks"]["detector"]
        self.assertEqual(detector["source"], {"file": "retinaface_mnet025.pth",
                                              "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()})
        self.assertEqual(hashlib.sha256((self.pack / detector["file"]).read_bytes()).hexdigest(), detector["sha256"])
        self.assertEqual(self.manifest()["licence"], "detector: MIT; landmarks: none known")
        result = self.expect(0, "process", picture, "--pack", self.pack, "-o", self.folder / "out", "--device", "cpu",
                             "--json")
        self.assertEqual(json.loads(result.stdout)["inputs"][0]["faces"], 1)

    def test_json_tells_files_and_sums(self):
        document = json.loads(self.convert("--ignore", "unused.", LANDMARKS, "--json").stdout)
        network, = document["networks"]
        self.assertEqual((network["role"], network["kind"]), ("landmarks", "ibug68"))
        self.assertEqual(network["sha256"], hashlib.sha256(LANDMARKS.read_bytes()).hexdigest())
        self.assertEqual(pathlib.Path(network["file"]).read_bytes(), LANDMARKS.read_bytes())

    def test_weights_beside_an_onnx_file_are_put_inside(self):
        traced = needs_shared("models/mtl_efficientnet_b0_224_seeded_traced.onnx")
        result = self.convert(traced, says="put inside")
        self.assertIn("OpenFace 3.0", result.stdout)
        network = self.pack / self.manifest()["networks"]["multitask"]["file"]
        self.assertGreater(network.stat().st_size, 100_000_000)
        self.expect(0, "inspect", network)

    def test_an_existing_network_is_kept_without_force(self):
        self.convert(LANDMARKS)
        before = {path: path.read_bytes() for path in self.pack.iterdir()}
        self.convert(LANDMARKS, code=8, says="--force")
        self.assertEqual({path: path.read_bytes() for path in self.pack.iterdir()}, before)
        self.convert(LANDMARKS, "--force")

    def test_hostile_checkpoints_are_refused_with_a_sentence_and_nothing_is_written(self):
        files = sorted(needs_shared("models/checkpoints").glob("bad_*"))
        self.assertEqual(len(files), 18)
        for path in files:
            with self.subTest(path.name):
                result = self.convert(path, code=5, says=path.name)
                self.assertNotIn("checkpoint-code-was-executed", result.stdout + result.stderr)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertFalse(self.pack.exists())

    def test_what_is_no_network_of_a_pack_is_refused(self):
        self.convert(self.folder / "missing.pth", code=4, says="missing.pth")
        self.convert(self.folder / "missing.onnx", code=4, says="missing.onnx")
        self.convert(LANDMARKS, "--kind", "pfld98", code=5, says="not a pfld98 landmark network")
        self.convert(LANDMARKS, "--kind", "haar", code=2, says="pfld98")
        self.convert(needs_shared("models/face_detection_yunet_2023mar.onnx"), code=5, says="--kind")
        self.convert(needs_shared("models/checkpoints/fp32_zip.pth"), code=5, says="none of the networks")
        self.convert(needs_shared("models/retinaface_mnet025.pth"), "--kind", "mtl", code=5, says="is retinaface")
        self.assertFalse(self.pack.exists())

    def test_the_same_checkpoint_gives_the_same_bytes(self):
        checkpoint = needs_shared("models/retinaface_mnet025.pth")
        self.convert(checkpoint)
        first = self.manifest()
        self.expect(0, "convert", checkpoint, "-o", self.folder / "again" / "pack")
        self.assertEqual(json.loads((self.folder / "again" / "pack" / "pack.json").read_text()), first)

    def test_what_is_written_passes_the_onnx_checker(self):
        if not ONNX_PACKAGES.is_dir():
            if os.environ.get("CI"):
                self.fail(f"{ONNX_PACKAGES} is absent in CI")
            self.skipTest("no onnx package: run tools/onnx-tests")
        self.convert(*[needs_shared(f"models/{name}") for name in CHECKPOINTS])
        written = sorted(self.pack.glob("*.onnx"))
        self.assertEqual(len(written), len(CHECKPOINTS))
        checked = subprocess.run([sys.executable, "-c", CHECK, str(ONNX_PACKAGES), *map(str, written)],
                                 capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertEqual(checked.stdout.split(), ["vultus"] * len(written))


CHECKPOINTS = ["retinaface_mnet025.pth", "star98_seeded_pooled.pkl"]

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
