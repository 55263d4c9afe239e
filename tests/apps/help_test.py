#!/usr/bin/env python3
"""doctor, completion and the manual page: help_test.py VULTUS PACK."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

VULTUS, PACK = sys.argv[1:3]
ROOT = pathlib.Path(__file__).parents[2]


def vultus(*arguments, **environment):
    return subprocess.run([VULTUS, *arguments], capture_output=True, text=True, timeout=120, env=os.environ | environment)


class Doctor(unittest.TestCase):
    def test_ready_where_everything_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            done = vultus("doctor", "--pack", PACK, "-o", f"{folder}/not/yet", "--json", XDG_CACHE_HOME=folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            found = json.loads(done.stdout)
            self.assertTrue(found["ready"])
            texts = {f["subject"]: f["text"] for f in found["findings"]}
            for subject in ("CPU", "model pack", "licence", "video", "cache", "output"):
                self.assertIn(subject, texts)
            self.assertFalse(pathlib.Path(folder, "not").exists())

    def test_what_is_missing_fails_with_what_to_do(self):
        with tempfile.TemporaryDirectory() as folder:
            done = vultus("doctor", "--pack", folder)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, "FAILED +model pack .*vultus convert")
            file = pathlib.Path(folder, "file")
            file.touch()
            done = vultus("doctor", "--pack", PACK, "-o", str(file))
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, "FAILED +output .*is not a folder")

    def test_a_machine_without_a_vulkan_driver_is_told_so_and_is_ready(self):
        done = vultus("doctor", "--pack", PACK, VK_DRIVER_FILES="/nonexistent", VK_ICD_FILENAMES="/nonexistent")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "warning +GPU")


class Batch(unittest.TestCase):
    def test_the_default_is_explained_and_numbers_out_of_range_are_refused(self):
        self.assertRegex(" ".join(vultus("process", "--help").stdout.split()), "--batch .*measured together.*4 on a GPU")
        for number in ("0", "33", "two"):
            done = vultus("process", "clip.mp4", "-o", "nowhere", "--batch", number)
            self.assertEqual(done.returncode, 2)
            self.assertIn("--batch", done.stderr)


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = vultus("completion", "bash").stdout + """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vultus; printf '%s\\n' "${COMPREPLY[@]}"
"""
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_commands_and_options_are_completed(self):
        self.assertEqual(self.complete("vultus", "pro"), ["process"])
        self.assertEqual(self.complete("vultus", "process", "--no-mir"), ["--no-mirror"])
        self.assertIn("--device", self.complete("vultus", "bench", "--"))
        self.assertEqual(self.complete("vultus", "process", "clip"), [])

    def test_zsh_has_every_command(self):
        script = vultus("completion", "zsh").stdout
        for command in ("process", "convert", "bench", "doctor"):
            self.assertIn(f"'{command}:", script)
            self.assertIn(f"    {command}) compadd", script)

    def test_another_shell_is_refused(self):
        self.assertEqual(vultus("completion", "tcl").returncode, 2)


class Manual(unittest.TestCase):
    def test_the_page_in_docs_is_what_the_program_says(self):
        self.assertEqual((ROOT / "docs" / "vultus.1").read_text(), vultus("manual").stdout,
                         "run: vultus manual > docs/vultus.1")

    def test_it_names_every_command(self):
        page = vultus("manual").stdout
        for command in ("process", "convert", "run", "plan", "bench", "check", "inspect", "devices", "doctor"):
            self.assertIn(f".SS vultus {command}\n", page)
        self.assertIn("\\-\\-no\\-mirror", page)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
