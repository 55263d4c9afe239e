#!/usr/bin/env python3
"""Folders of results as `vultus process` leaves and finds them again: names, overview, what is made again, what is refused.

usage: results_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
"""
import csv
import json
import pathlib
import shlex
import subprocess
import sys
import unittest

from cli_cases import PACK, VULTUS, ProcessCli, needs_shared


class Results(ProcessCli):
    def test_options_of_tables_alone_make_tables_and_report_again_without_measuring(self):
        clip, out = self.clip(frames=60), self.folder / "out" / "clip"
        self.process(0, clip)
        drawn, before = (out / "overlay.mp4").stat().st_mtime_ns, (out / "run.json").read_text()
        change = ["--baseline", "0.2-1.4", "--no-report"]
        result = self.process(0, clip, options=[*change, "--dry-run"], says="tables and report alone, measured before: ")
        self.assertIn("0 inputs, 0 frames; 1 not to be measured again", result.stdout)
        self.assertEqual((out / "run.json").read_text(), before)
        self.process(0, clip, options=change, says="made again from what was measured (report on, now off; baseline auto, now 0.2-1.4)")
        self.assertEqual((out / "overlay.mp4").stat().st_mtime_ns, drawn)
        self.assertFalse((out / "report.html").exists())
        self.assertNotIn("landmarks", {stage["name"] for stage in json.loads((out / "performance.json").read_text())["stages"]})
        self.expect(0, "verify", out, says="verified")
        self.process(0, clip, options=change, says="done before")

    def test_the_same_name_in_two_visits_keeps_its_visit_in_any_order(self):
        for visit in ("visit1", "visit2"):
            (self.folder / visit).mkdir()
            self.clip(f"{visit}/smile.mp4", frames=3)
        self.process(0, self.folder / "visit1")
        self.process(0, self.folder / "visit2", str(self.folder / "visit1") + "/", says="1 complete, 0 partial, 1 done before")
        self.process(0, self.folder / "visit1", self.folder / "visit2", says="0 complete, 0 partial, 2 done before")
        self.assertEqual({str(p.parent.relative_to(self.folder / "out")) for p in (self.folder / "out").rglob("run.json")},
                         {"visit1/smile", "visit2/smile"})
        self.expect(0, "verify", self.folder / "out", says="2 verified, 0 different")

    def test_an_overview_has_a_row_for_every_input_and_partial_ones_are_listed_as_failed(self):
        clip, bad, partial = self.clip(), self.folder / "bad.mp4", needs_shared("media/truncated.mp4")
        bad.write_text("not a video")
        self.process(3, clip, partial, bad)
        for _ in range(2):  # the second time the partial one is there already
            with open(self.folder / "out" / "summary.csv", newline="") as file:
                rows = {pathlib.Path(row["input"]).name: row for row in csv.DictReader(file)}
            self.assertEqual({name: row["status"] for name, row in rows.items()},
                             {"clip.mp4": "complete", "truncated.mp4": "partial", "bad.mp4": "failed"})
            self.assertEqual((rows["clip.mp4"]["frames"], rows["clip.mp4"]["face_percent"]), ("12", "0.0"))
            self.assertIn("are lost", rows["truncated.mp4"]["lost"])
            self.assertEqual({name: row["mirrored_input"] for name, row in rows.items()},
                             {"clip.mp4": "0", "truncated.mp4": "0", "bad.mp4": ""})
            self.assertIn("no face was found", rows["clip.mp4"]["warnings"])
            with open(self.folder / "out" / "failed.csv", newline="") as file:
                failed = {pathlib.Path(row["input"]).name: row for row in csv.DictReader(file)}
            self.assertEqual({name: row["exit_code"] for name, row in failed.items()}, {"truncated.mp4": "3", "bad.mp4": "4"})
            self.process(3, bad, partial)
        self.process(0, clip, options=["--mirrored-input", "--force"])
        self.assertIn(("clip.mp4", "1"), [(pathlib.Path(row["input"]).name, row["mirrored_input"]) for row in self.listed("summary.csv")])
        # The commands can be run from anywhere.
        words = shlex.split(failed["truncated.mp4"]["command"])
        self.assertEqual(words[:2], [str(VULTUS), "process"])
        retried = subprocess.run(words, cwd="/", capture_output=True, text=True)
        self.assertEqual(retried.returncode, 3, retried.stdout + retried.stderr)
        self.assertEqual({p.name for p in (self.folder / "out").iterdir() if p.is_dir()}, {"clip", "truncated"})

    def listed(self, name):
        with open(self.folder / "out" / name, newline="") as file:
            return list(csv.DictReader(file))

    def test_what_failed_stays_listed_until_it_succeeds(self):
        bad, good, failed = self.folder / "bad, one.mp4", self.clip(frames=3), self.folder / "out" / "failed.csv"
        bad.write_text("not a \"video\"")
        self.process(3, bad, good)
        before = failed.read_text()
        self.process(0, good, says="failed.csv still lists 1 input of earlier runs")
        self.assertEqual(failed.read_text(), before)
        self.assertEqual({row["input"]: row["status"] for row in self.listed("summary.csv")},
                         {str(good): "complete", str(bad): "failed"})
        self.clip(bad.name, frames=3)
        self.process(0, bad)
        self.assertFalse(failed.exists())
        self.assertEqual({row["status"] for row in self.listed("summary.csv")}, {"complete"})
        # Results that are there, whichever run made them, end an entry.
        failed.write_text(before)
        self.process(0, good)
        self.assertFalse(failed.exists())

    def test_what_was_stopped_and_not_begun_is_counted_and_verify_names_it(self):
        clips = [self.clip("a.mp4", frames=3), self.clip("b.mp4", frames=400, size="640x480"), self.clip("c.mp4", frames=3),
                 self.clip("d.mp4", frames=3)]
        running = subprocess.Popen([str(VULTUS), "process", *map(str, clips), "-o", str(self.folder / "out"), "--pack", str(PACK),
                                    "--device", "cpu", "--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "b.mp4" not in running.stderr.readline():
            pass
        running.terminate()
        stdout, stderr = running.communicate(timeout=120)
        self.assertEqual(running.returncode, 143, stderr)
        self.assertIn("1 complete, 0 partial, 0 done before, 0 failed, 1 stopped, 2 not begun", stdout)
        said = self.expect(3, "verify", self.folder / "out", says="1 verified, 0 different, 1 unfinished").stdout
        self.assertIn(f"{self.folder / 'out' / 'b'}: UNFINISHED", said)
        self.assertIn("the same vultus process command", said)
        document = json.loads(self.expect(3, "verify", self.folder / "out", "--json").stdout)
        self.assertEqual([each["folder"] for each in document["unfinished"]], [str(self.folder / "out" / ".b.vultus-partial")])
        self.assertGreater(document["unfinished"][0]["frames"], 0)

    def test_options_named_once_are_kept_until_they_are_named_anew(self):
        clip, out = self.clip(frames=60), self.folder / "out" / "clip"

        def options():
            return {key: json.loads((out / "summary.json").read_text())["options"][key] for key in ("baseline", "pupil-distance")}

        self.process(0, clip, options=["--baseline", "0.2-1.4", "--pupil-distance", 58])
        made = (out / "run.json").read_text()
        self.assertIn("done before", self.process(0, clip, says="note: keeps --baseline 0.2-1.4 --pupil-distance 58").stdout)
        self.process(0, clip, options=["--dry-run"], says="(done before; keeps --baseline 0.2-1.4 --pupil-distance 58)")
        self.assertEqual((out / "run.json").read_text(), made)
        self.process(0, clip, options=["--pupil-distance", 60], says="made again from what was measured (pupil-distance 58, now 60)")
        self.assertEqual(options(), {"baseline": "0.2-1.4", "pupil-distance": "60"})
        again = shlex.join(json.loads((out / "run.json").read_text())["make_again"])
        self.assertIn("--baseline 0.2-1.4", again)
        self.process(0, clip, options=["--baseline", "auto"], says="(baseline 0.2-1.4, now auto)")
        self.assertEqual(options(), {"baseline": "auto", "pupil-distance": "60"})

    def test_results_changed_by_hand_are_not_taken_for_done_and_verify_tells_the_command(self):
        clip, sheet = self.clip(), self.folder / "out" / "clip" / "asymmetry.csv"
        self.process(0, clip)
        good = sheet.read_bytes()
        sheet.write_bytes(good + b"more")
        self.process(8, clip, says="asymmetry.csv: has")
        self.process(8, clip, options=["--pupil-distance", 60], says="make it again with --force")
        self.process(8, clip, options=["--dry-run"], says="make it again with --force")
        self.assertTrue((self.folder / "out" / "failed.csv").exists())
        said = self.expect(9, "verify", self.folder / "out").stdout
        command = next(line for line in said.splitlines() if "make again: " in line).split("make again: ")[1]
        self.assertEqual(subprocess.run(shlex.split(command), cwd="/", capture_output=True).returncode, 0)
        self.assertEqual(sheet.read_bytes(), good)
        self.expect(0, "verify", self.folder / "out")

    def test_a_dry_run_says_no_where_the_run_says_no_and_counts_what_is_left(self):
        clip, other = self.clip(), self.clip("other.mp4", frames=30)
        self.process(0, clip)
        self.process(8, clip, options=["--mirrored-input", "--dry-run"], says="(mirrored-input no, now yes)")
        document = json.loads(self.process(3, clip, other, self.folder / "none.mp4", options=["--dry-run", "--json"]).stdout)
        self.assertEqual([line["action"] for line in document["inputs"]], ["skip", "make", "fail"])
        self.assertEqual(document["frames"], 30)
        (self.folder / "file").write_text("in the way")
        self.expect(8, "process", clip, "-o", self.folder / "file" / "out", "--pack", PACK, "--device", "cpu", "--dry-run", says="is a file")
        self.expect(8, "process", clip, "-o", "/proc/out", "--pack", PACK, "--device", "cpu", "--dry-run",
                    says="/proc/out: cannot be written")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
