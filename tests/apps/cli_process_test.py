#!/usr/bin/env python3
"""`vultus process` as a user meets it: exit codes, messages, what is written and what is not.

usage: cli_process_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
Needs the standard library only.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from cli_cases import PACK, VULTUS, ProcessCli, needs_shared


class Process(ProcessCli):
    def test_a_clip_gives_a_row_per_frame_and_videos_of_the_same_length(self):
        self.process(0, self.clip())
        out = self.folder / "out" / "clip"
        self.assertEqual({p.name for p in out.iterdir()},
                         {"landmarks.csv", "left.csv", "right.csv", "asymmetry.csv", "report.html", "performance.txt", "performance.json",
                          "left_mirrored.mp4", "right_mirrored.mp4", "overlay.mp4", "frames.journal", "checkpoint", "summary.json",
                          "run.json"})
        rows = self.rows("clip")
        self.assertEqual([row["frame"] for row in rows], [str(n) for n in range(1, 13)])
        self.assertTrue(all(row["success"] == "0" and row["x_0"] == "" for row in rows))
        for video in out.glob("*.mp4"):
            count = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                                    "stream=nb_read_frames,avg_frame_rate", "-of", "csv=p=0", str(video)],
                                   capture_output=True, text=True, check=True).stdout.strip()
            self.assertEqual(count, "25/1,12", video)
        summary = json.loads((out / "summary.json").read_text())
        for key in ("input frames faces frames_without_face fps seconds device uploads downloads upload_bytes download_bytes "
                    "stages warnings").split():
            self.assertIn(key, summary)
        self.assertEqual((summary["frames"], summary["frames_without_face"]), (12, 12))

    def test_a_second_run_has_nothing_to_do_and_other_options_are_refused_without_force(self):
        clip = self.clip()
        self.process(0, clip)
        self.process(0, clip, says="done before")
        self.process(8, clip, options=["--no-mirror"], says="(mirror on, now off); name another folder with -o, or replace it with --force")
        self.process(0, clip, options=["--no-mirror", "--force"])

    def test_timed_kernels_reach_the_networks_of_the_pack(self):
        clip, cache = self.clip(frames=2, size="64x48"), self.folder / "cache"

        def kept(option):
            self.expect(0, "process", clip, "-o", self.folder / "out", "--pack", PACK, "--device", "gpu", "--no-mirror",
                        "--no-overlay", "--force", *option, XDG_CACHE_HOME=str(cache))
            return len(list(cache.glob("vultus/convolutions-*.bin")))

        self.assertEqual([kept([]), kept(["--no-tune"]), kept(["--tune"])], [0, 0, 1])

    def test_one_bad_file_never_stops_the_rest(self):
        (self.folder / "in").mkdir()
        self.clip().rename(self.folder / "in" / "good.mp4")
        (self.folder / "in" / "a_bad.mp4").write_text("not a video")
        self.process(3, self.folder / "in", says="a_bad.mp4")
        self.assertEqual(len(self.rows("in/good")), 12)
        self.assertFalse((self.folder / "out" / "in" / "a_bad").exists())

    def test_unreadable_inputs_are_refused_and_nothing_is_written(self):
        (self.folder / "nothing").mkdir()
        (self.folder / "empty.mp4").touch()
        (self.folder / "text.mp4").write_text("no video")
        (self.folder / "cut.mp4").write_bytes(self.clip().read_bytes()[:3000])
        os.mkfifo(self.folder / "pipe.mp4")
        for name in ("missing.mp4", "nothing", "empty.mp4", "text.mp4", "cut.mp4", "pipe.mp4"):
            with self.subTest(name):
                self.refuse(4, "process", self.folder / name, "--pack", PACK, "--device", "cpu", says=name)

    def test_files_of_the_shared_folder_get_their_documented_codes(self):
        media = needs_shared("media")
        for name, code, rows in (("empty.mp4", 4, None), ("not_a_video.mp4", 4, None), ("truncated_no_index.mp4", 4, None),
                                 ("odd_size.mp4", 0, 50), ("gray.mp4", 0, 50), ("gray_hevc.mp4", 0, 50), ("vfr.mp4", 0, 59),
                                 ("chelsea_cat.png", 0, 1), ("solvay1927.jpg", 0, 1)):
            with self.subTest(name):
                if rows is None:
                    self.refuse(code, "process", media / name, "--pack", PACK, "--device", "cpu", says=name)
                else:
                    self.process(code, media / name, options=["--force", "--no-mirror"])
                    self.assertEqual(len(self.rows(pathlib.Path(name).stem)), rows)
        result = self.process(3, media / "truncated.mp4", says="lost")
        self.assertIn("PARTIAL", result.stdout)

    def test_a_partial_result_is_called_so_again(self):
        clip = needs_shared("media/truncated.mp4")
        self.process(3, clip)
        result = self.process(3, clip, says="done before, PARTIAL")
        self.assertIn("lost", result.stdout)

    def test_results_with_a_missing_file_are_not_taken_for_done(self):
        clip = self.clip()
        self.process(0, clip)
        (self.folder / "out" / "clip" / "landmarks.csv").unlink()
        self.process(8, clip, says="--force")
        self.process(0, clip, options=["--force"])
        self.assertEqual(len(self.rows("clip")), 12)

    def test_hidden_files_of_a_folder_are_not_recordings(self):
        (self.folder / "in").mkdir()
        self.clip().rename(self.folder / "in" / "good.mp4")
        (self.folder / "in" / "._good.mp4").write_text("a shadow")
        self.process(0, self.folder / "in")

    def test_a_clip_trimmed_without_encoding_is_complete(self):
        whole, trimmed = self.clip(frames=50), self.folder / "trimmed.mp4"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", "0.6", "-i", str(whole), "-c", "copy", str(trimmed)],
                       check=True)
        self.process(0, trimmed)

    def test_output_that_cannot_be_written_is_said(self):
        (self.folder / "out").write_text("a file in the way")
        self.process(8, self.clip(), says="out")

    def test_a_missing_or_altered_pack_is_refused(self):
        clip = self.clip()
        out = self.folder / "refused"
        self.expect(5, "process", clip, "-o", out, "--pack", self.folder / "none", says="pack")
        altered = self.folder / "pack"
        shutil.copytree(PACK, altered)
        with open(altered / "fr_landmark.onnx", "ab") as file:
            file.write(b"x")
        self.expect(5, "process", clip, "-o", out, "--pack", altered, says="sha-256")
        self.assertFalse(out.exists())

    def test_progress_in_json_is_one_line_per_update(self):
        result = self.process(0, self.clip(), options=["--progress", "json", "--json"])
        lines = [json.loads(line) for line in result.stderr.splitlines()]
        self.assertEqual(lines[-1]["frames"], 12)
        self.assertEqual(json.loads(result.stdout)["exit_code"], 0)

    def test_an_interrupted_run_leaves_nothing_that_looks_finished_and_the_next_one_goes_on(self):
        clip, out = self.clip(frames=400, size="640x480"), self.folder / "out"
        command = [str(VULTUS), "process", str(clip), "-o", str(out), "--pack", str(PACK), "--device", "cpu"]
        running = subprocess.Popen(command + ["--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.stderr.readline()
        running.terminate()
        stderr = running.communicate(timeout=120)[1]
        self.assertEqual(running.returncode, 143, stderr)
        self.assertIn("the same command again", stderr)
        self.assertEqual([p.name for p in out.iterdir()], [".clip.vultus-partial"])
        self.process(0, clip, says="gone on from frame")
        self.assertEqual(len(self.rows("clip")), 400)
        self.assertEqual({p.name for p in out.iterdir()}, {"clip", "summary.csv"})

    def test_results_are_verified_and_what_differs_is_named(self):
        out = self.folder / "out"
        self.process(0, self.clip(), self.clip("other.mp4"))
        self.assertIn("2 verified, 0 different", self.expect(0, "verify", out).stdout)
        manifest = json.loads((out / "clip" / "run.json").read_text())
        for key in "program command started finished resumptions input settings precision devices pack frames outputs".split():
            self.assertIn(key, manifest)
        self.assertEqual({p.name for p in (out / "clip").iterdir()} - {"run.json"}, {o["file"] for o in manifest["outputs"]})
        self.assertEqual(manifest["input"]["bytes"], (self.folder / "clip.mp4").stat().st_size)
        for name, spoil in (("landmarks.csv", lambda b: b.replace(b"\n7,", b"\n8,")), ("overlay.mp4", lambda b: b[:-1]),
                            ("summary.json", lambda b: b[:40] + bytes([b[40] ^ 1]) + b[41:]), ("left.csv", None)):
            path = out / "clip" / name
            good = path.read_bytes()
            path.write_bytes(spoil(good)) if spoil else path.unlink()
            self.assertIn(name, self.expect(9, "verify", out / "clip", says="different").stdout)
            document = json.loads(self.expect(9, "verify", out, "--json").stdout)
            self.assertEqual([r["verified"] for r in document["results"]], [False, True])
            path.write_bytes(good)
        self.expect(0, "verify", out / "clip", says="verified")
        (out / "clip" / "run.json").write_text("{")
        self.expect(4, "verify", out / "clip", says="run.json")
        self.expect(4, "verify", self.folder / "nowhere", says="nowhere")

    def test_killed_at_any_moment_and_taken_up_every_byte_is_the_same(self):
        clip = self.clip(frames=250)
        result = subprocess.run([sys.executable, str(pathlib.Path(__file__).parents[2] / "tools" / "kill-test"), str(clip),
                                 "--kills", "6", "--seed", "4", "--vultus", str(VULTUS), "--", "--pack", str(PACK),
                                 "--device", "cpu"], capture_output=True, text=True, timeout=600)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
