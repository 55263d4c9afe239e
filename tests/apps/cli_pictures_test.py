#!/usr/bin/env python3
"""Pictures, pages and memory maps that `plan` and `bench` write, and what is said where they cannot be.

usage: cli_pictures_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
"""
import json
import sys
import unittest
from xml.etree import ElementTree

from cli_cases import LANDMARKS, Cli


class Pictures(Cli):
    def test_plan_svg_is_a_picture_of_every_node(self):
        picture = self.folder / "plan.svg"
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--pin", "op:Conv=cpu", "--no-tune",
                                          "--svg", picture, "--json").stdout)
        svg, root = "{http://www.w3.org/2000/svg}", ElementTree.parse(picture).getroot()
        self.assertEqual(root.tag, svg + "svg")
        classes = [group.get("class") for group in root.iter(svg + "g")]
        self.assertEqual(sum(c == "node gpu" for c in classes), document["gpu_ops"])
        self.assertEqual(sum(c == "node cpu" for c in classes), document["cpu_ops"])
        self.assertEqual(sum(c == "cluster" for c in classes), document["partitions"])
        self.assertGreater(sum(c == "edge transfer" for c in classes), 0)
        texts = [text.text for text in root.iter(svg + "text")]
        for node in document["nodes"]:
            self.assertIn(node["name"][:48], [text.rstrip("\u2026")[:48] if text else text for text in texts])

    def test_plan_memory_lists_blocks_that_do_not_lie_upon_each_other(self):
        arguments = ("plan", LANDMARKS, "--device", "gpu", "--no-tune")
        document = json.loads(self.expect(0, *arguments, "--json").stdout)
        blocks = document["memory_map"]
        self.assertEqual(max(b["offset"] + b["bytes"] for b in blocks), document["arena_bytes"])
        for i, a in enumerate(blocks):
            for b in blocks[:i]:
                apart = (a["partition"] != b["partition"] or a["last"] < b["first"] or b["last"] < a["first"] or
                         a["offset"] + a["bytes"] <= b["offset"] or b["offset"] + b["bytes"] <= a["offset"])
                self.assertTrue(apart, f"{a} and {b}")
        text = self.expect(0, *arguments, "--memory", says="most in use at step").stdout
        rows = [line.split() for line in text.splitlines()]
        for b in blocks:
            self.assertIn([str(b[key]) for key in ("offset", "bytes", "first", "last")], [row[:4] for row in rows])
        self.assertNotIn("most in use", self.expect(0, *arguments).stdout)

    def test_pages_are_whole_documents_beside_what_is_printed(self):
        page = self.folder / "page.html"
        for command in (("plan", LANDMARKS, "--device", "cpu", "--no-tune"), ("bench", LANDMARKS, "--device", "cpu,gpu", "--runs", 2)):
            page.write_text("what was there before")
            document = json.loads(self.expect(0, *command, "--html", page, "--json").stdout)
            text = page.read_text()
            self.assertTrue(text.startswith("<!doctype html>") and text.endswith("</html>\n"))
            self.assertIn("fr_landmark.onnx", text)
            self.assertNotRegex(text.replace("http://www.w3.org/", ""), r"(src|href)=.?http|url\(http|@import")
            self.assertEqual([path.name for path in self.folder.iterdir()], ["page.html"])
            self.assertNotIn("<!doctype", self.expect(0, *command, "--html", page, says="fr_landmark.onnx").stdout)
        self.assertEqual(len(document["layers"]), text.count('class="mark bar cpu"'))

    def test_pages_that_cannot_be_written_are_refused_before_anything_is_measured(self):
        absent, out = self.folder / "absent" / "x.html", self.folder / "x.html"
        for command in ("plan", "bench"):
            self.expect(8, command, LANDMARKS, "--device", "cpu", "--html", absent, says="x.html: cannot be created")
            self.expect(8, command, LANDMARKS, "--device", "cpu", "--html", self.folder, says="is a folder")
            self.expect(8, command, self.folder / "none.onnx", "--device", "cpu", "--html", absent, says="x.html")
            self.expect(2, command, LANDMARKS, "--device", "cpu", "--html", says="--html")
            self.expect(5, command, self.folder / "none.onnx", "--device", "cpu", "--html", out, says="none.onnx")
        self.expect(8, "plan", LANDMARKS, "--device", "cpu", "--no-tune", "--svg", absent, says="x.html: cannot be created")
        self.expect(2, "plan", LANDMARKS, "--svg", says="--svg")
        self.expect(2, "bench", "--floor", "--html", out, says="--html")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
