"""What tests of the command line share: the binary and the pack, which are the first two arguments, and test cases that
run it. Files of the shared folder (VULTUS_SHARED) are used where present, and must be in CI."""
import csv
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


class ProcessCli(Cli):
    def clip(self, name="clip.mp4", frames=12, size="320x240"):
        """A small H.264 clip of a moving test picture, no face in it."""
        path = self.folder / name
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc=size={size}:rate=25",
                        "-frames:v", str(frames), "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)], check=True)
        return path

    def process(self, code, *inputs, options=(), says=""):
        return self.expect(code, "process", *inputs, "-o", self.folder / "out", "--pack", PACK, "--device", "cpu", *options,
                           says=says)

    def rows(self, name):
        with open(self.folder / "out" / name / "landmarks.csv", newline="") as file:
            return list(csv.DictReader(file))
