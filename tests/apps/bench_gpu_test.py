"""bench/gpu on whatever Vulkan device there is: the file that it writes holds what it promises.

    bench_gpu_test.py REPOSITORY VULTUS
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

REPOSITORY, VULTUS = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
SHARED = pathlib.Path(os.environ.get("VULTUS_SHARED") or REPOSITORY.parent / "shared")


class BenchGpu(unittest.TestCase):
    def test_a_quick_run_writes_every_part(self):
        if not (SHARED / "models").is_dir():
            if os.environ.get("CI"):
                self.fail("shared/ is absent in CI")
            self.skipTest("shared/ is absent (set VULTUS_SHARED)")
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "result.json"
            environment = {**os.environ, "XDG_CACHE_HOME": folder}
            result = subprocess.run([REPOSITORY / "bench" / "gpu", "--quick", "--vultus", VULTUS, "--models",
                                     SHARED / "models", "--out", out], capture_output=True, text=True, env=environment)
            self.assertEqual(result.returncode, 0, result.stderr)
            document = json.loads(out.read_text())
        self.assertEqual(document["schema"], 1)
        for key in ("date", "commit", "command", "host", "device", "devices", "floor", "ours", "profiles", "torch"):
            self.assertIn(key, document)
        for key in ("gflops", "copy_gb_per_s", "dispatch_us", "dependent_dispatch_us", "submit_us"):
            self.assertGreaterEqual(document["floor"][key], 0)
        self.assertEqual([(c["network"], c["batch"], c["precision"]) for c in document["ours"]],
                         [("RetinaFace", batch, precision) for batch in (1, 2) for precision in ("fp16", "fp32")])
        for case in document["ours"]:
            self.assertGreater(case["median_ms"], 0)
            self.assertEqual(case["partitions"], 1)
        profile = document["profiles"][0]
        self.assertEqual({"cold", "warm"}, set(profile["startup"]))
        self.assertTrue(profile["profile"]["steps"])
        tuning = document["tuning"][0]
        self.assertGreater(tuning["convolutions"], 0)
        self.assertEqual(tuning["timed"], tuning["convolutions"])
        self.assertGreater(min(tuning["rules_ms"], tuning["tuned_ms"]), 0)
        self.assertTrue("absent" in document["torch"] or "cases" in document["torch"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
