#!/usr/bin/env python3
"""What `vultus` says to somebody who mistypes, or points it at the wrong thing.

usage: messages_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
"""
import json
import csv
import shlex
import shutil
import sys
import unittest

from cli_cases import VULTUS, Cli, needs_shared


class Messages(Cli):
    def setUp(self):
        super().setUp()
        self.out = self.folder / "out"

    def pack(self):
        folder = self.folder / "ein Paket"
        files = [needs_shared(f"models/{name}") for name in ("retinaface_mnet025.pth", "pfld98_ghostone_112.onnx")]
        made = self.expect(0, "convert", *files, "-o", folder, "--license", "as stated", says=f"--pack '{folder}'")
        self.assertIn("as stated", made.stdout)
        return folder

    def process(self, code, *arguments, pack, says=""):
        return self.expect(code, "process", *arguments, "-o", self.out, "--pack", pack, "--device", "cpu", says=says)

    def summary(self, name):
        return json.loads((self.out / name / "summary.json").read_text())

    def test_mistyped_commands_and_options_are_named_with_the_nearest(self):
        for arguments, says in [(["proces", "a.mp4"], "no command 'proces'; did you mean process?"),
                                (["process", "a.mp4", "--outptu", "x"], "no option --outptu; did you mean --output?"),
                                (["process", "a.mp4", "-o", "x", "--maxframes=5"], "no option --maxframes"),
                                (["run", "m.onnx", "--tolerence", "1"], "did you mean --tolerance?"),
                                (["--verion"], "`vultus --help`"),
                                (["process", "a.mp4"], "--output is required; `vultus process --help`"),
                                (["plan", "a.onnx", "b.onnx"], "b.onnx")]:
            with self.subTest(arguments):
                result = self.expect(2, *arguments, says=says)
                self.assertEqual(result.stdout, "")
                self.assertEqual([line[:8] for line in result.stderr.splitlines()], ["vultus: "], result.stderr)

    def test_results_of_another_recording_are_not_taken_for_older_ones_of_this(self):
        pack, pictures = self.pack(), []
        for visit, name in (("visit 1", "two_people.jpg"), ("visit 2", "biden.jpg")):
            (self.folder / visit).mkdir()
            pictures.append(self.folder / visit / "face.jpg")
            shutil.copy(needs_shared(f"media/{name}"), pictures[-1])
        self.process(0, pictures[0], pack=pack)
        before = self.summary("face")
        self.process(8, pictures[1], pack=pack, says=f"another recording or state of it ({pictures[0]})")
        self.process(8, pictures[0], "--no-overlay", pack=pack, says="other options")
        self.assertEqual(self.summary("face"), before)
        (self.out / "face" / "summary.json").unlink()
        self.process(8, pictures[0], pack=pack, says="something else than finished results")

    def test_faces_left_out_and_faces_not_found_are_told_of(self):
        pack = self.pack()
        two, none = needs_shared("media/two_people.jpg"), needs_shared("media/chelsea_cat.png")
        clip = needs_shared("media/intel_head_pose_two_faces.mp4")
        self.process(0, two, clip, none, pack=pack, says="no face was found: nothing was measured")
        for name in ("two_people", "intel_head_pose_two_faces"):
            note, = self.summary(name)["warnings"]
            self.assertIn("2 faces were found in a frame, and one of them measured", note)
        self.process(0, two, clip, "--faces", "all", "--force", pack=pack)
        for name in ("two_people", "intel_head_pose_two_faces"):
            self.assertEqual(self.summary(name)["warnings"], [])

    def test_a_folder_without_media_does_not_stop_the_others(self):
        pack, empty, deep, good = self.pack(), self.folder / "empty", self.folder / "deep", self.folder / "good"
        for folder in (empty, good, deep / "in it"):
            folder.mkdir(parents=True)
        shutil.copy(needs_shared("media/two_people.jpg"), good)
        self.process(4, empty, pack=pack, says="no video or picture")
        self.process(4, deep, pack=pack, says="the folders in it are not searched")
        self.assertFalse(self.out.exists())
        self.process(3, empty, good, pack=pack, says="1 complete, 0 partial, 0 done before, 1 failed")
        self.assertTrue(self.summary("good/two_people")["complete"])
        (good / "IMG_1.heic").write_bytes(b"")
        self.process(0, good, pack=pack, says="passed over, no video or picture by its ending: IMG_1.heic")
        (good / "later").mkdir()
        self.process(0, good, pack=pack, says=f"{good}: 1 folder in it is not searched: later")
        for n in range(6):
            (good / f"visit {n}").mkdir()
        says = "7 folders in it are not searched: later, visit 0, visit 1, visit 2, visit 3 and 2 more"
        self.process(0, good, "--dry-run", pack=pack, says=says)
        (good / "results").mkdir()
        self.expect(0, "process", good, "-o", good / "results", "--pack", pack, "--device", "cpu", says=says)

    def test_inputs_come_from_a_list_and_failures_are_written_down_with_the_command_to_retry(self):
        pack, picture, names = self.pack(), self.folder / "one, two.jpg", self.folder / "names"
        shutil.copy(needs_shared("media/two_people.jpg"), picture)
        missing = self.folder / "not\nthere.mp4"
        names.write_bytes(b"\0".join(str(path).encode() for path in (picture, missing, self.folder / "-gone.mp4")) + b"\0")
        self.process(3, "--files-from", names, "--search-every", 7, "--no-mirror", pack=pack,
                     says="1 complete, 0 partial, 0 done before, 2 failed")
        with open(self.out / "failed.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["input"] for row in rows], [str(missing), str(self.folder / "-gone.mp4")])
        self.assertEqual([row["exit_code"] for row in rows], ["4", "4"])
        self.assertIn("No such file", rows[0]["reason"])
        words = shlex.split(rows[0]["command"])
        self.assertEqual(words[:3], [str(VULTUS), "process", str(missing)])
        for word in ("--search-every", "7", "--no-mirror", str(self.out)):
            self.assertIn(word, words[3:])
        names.write_text(f"{picture}\r\n\n{picture}\n")
        # The same file twice is one.
        self.process(0, "--files-from", names, "--search-every", 7, "--no-mirror", pack=pack, says="2 done before, 0 failed")
        with open(self.out / "failed.csv", newline="") as file:
            self.assertEqual(list(csv.DictReader(file)), rows)
        names.write_text("\n")
        self.process(4, "--files-from", names, pack=pack, says="names no file")
        self.process(4, "--files-from", self.folder, pack=pack, says="Is a directory")
        self.process(2, pack=pack, says="no input: name videos")

    def test_a_dry_run_tells_time_and_room_and_writes_nothing(self):
        pack, clip = self.pack(), needs_shared("media/intel_head_pose_two_faces.mp4")
        made = self.process(0, clip, "--dry-run", pack=pack, says="1 input, 56 frames: about ")
        self.assertIn("480x270, 56 frames", made.stdout)
        self.assertFalse(self.out.exists())
        missing = self.folder / "missing.mp4"
        document = json.loads(self.process(3, clip, missing, "--dry-run", "--json", pack=pack).stdout)
        self.assertFalse(self.out.exists())
        self.assertGreater(document["seconds"], 0)
        self.assertGreater(document["bytes"], 10000)
        self.assertEqual([line["input"] for line in document["inputs"]], [str(clip), str(missing)])
        self.assertIn("No such file", document["inputs"][1]["error"])
        self.process(4, missing, "--dry-run", pack=pack)

    def test_a_dry_run_tells_the_room_that_results_take(self):
        pack, clip = self.pack(), needs_shared("media/vfr.mp4")
        told = json.loads(self.process(0, clip, "--dry-run", "--json", pack=pack).stdout)["bytes"]
        self.process(0, clip, pack=pack)
        made = sum(file.stat().st_size for file in (self.out / clip.stem).iterdir())
        self.assertTrue(0.75 * made < told < 1.35 * made, f"{told} told, {made} made")

    def test_a_pack_is_its_folder_or_its_manifest(self):
        pack, picture = self.pack(), needs_shared("media/two_people.jpg")
        self.process(0, picture, pack=pack / "pack.json")
        self.process(0, picture, pack=pack, says="done before")
        self.process(5, picture, pack=self.folder / "elsewhere", says="vultus convert")

    def test_outputs_of_the_wrong_sort_are_refused(self):
        pack, picture, file = self.pack(), needs_shared("media/two_people.jpg"), self.folder / "file"
        file.touch()
        self.expect(8, "process", picture, "-o", file, "--pack", pack, "--device", "cpu", says="it is a file; name a folder")
        model = needs_shared("models/pfld98_ghostone_112.onnx")
        self.expect(8, "plan", model, "--device", "cpu", "--no-tune", "--html", self.folder, says="is a folder; name a file")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
