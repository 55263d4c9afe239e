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


class Reports(Cli):
    def test_bench_json_has_the_documented_keys(self):
        document = json.loads(self.expect(0, "bench", LANDMARKS, "--device", "cpu,gpu", "--runs", 3, "--json").stdout)
        self.assertEqual([run["device"] for run in document["runs"]], ["cpu", "gpu"])
        for run in document["runs"]:
            for key in ("precision batch median_ms p95_ms min_ms gflops dispatches barriers uploads downloads upload_bytes "
                        "download_bytes arena_bytes").split():
                self.assertIn(key, run)
            self.assertLessEqual(run["min_ms"], run["median_ms"])
            split = run["split"]
            self.assertAlmostEqual(split["upload_ms"] + split["compute_ms"] + split["read_back_ms"] + split["host_ms"] -
                                   split.get("overlap_ms", 0), split["wall_ms"], delta=1e-4)
            for span in run["timeline"]:
                self.assertEqual((span["partition"], span["device"]), (0, run["device"]))
                self.assertIn(span["stage"], ("upload", "compute", "read_back"))
                self.assertLessEqual(span["start_ms"] + span["ms"], split["wall_ms"] + 1e-6)
            self.assertTrue(all(isinstance(sentence, str) for sentence in run["advice"]))
        self.assertTrue(any("--device cpu" in sentence for sentence in document["runs"][1]["advice"]))
        self.assertNotIn("layers", document)
        gpu = document["runs"][1]
        self.assertEqual((gpu["uploads"], gpu["downloads"]), (1, 1))

    def test_bench_profile_names_every_step_and_its_share_of_the_roof(self):
        self.expect(0, "bench", LANDMARKS, "--device", "cpu", "--runs", 2, "--profile", says="% roof")
        trace = self.folder / "trace.json"
        document = json.loads(self.expect(0, "bench", LANDMARKS, "--device", "gpu,cpu", "--runs", 2, "--profile",
                                          "--trace", trace, "--json").stdout)
        for run in document["runs"]:
            steps = run["profile"]["steps"]
            for step in steps:
                for key in "node operator kernel output start_ms ms bytes gflops gb_per_s roof_percent".split():
                    self.assertIn(key, step)
            self.assertAlmostEqual(sum(s["ms"] for s in steps), sum(o["ms"] for o in run["profile"]["operators"]))
            self.assertGreater(run["profile"]["roofs"][0]["gflops"], 0)
        plan = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "cpu", "--no-tune", "--json").stdout)
        self.assertEqual([layer["name"] for layer in document["layers"]], [node["name"] for node in plan["nodes"]])
        for device, run in zip(("gpu", "cpu"), document["runs"]):
            self.assertAlmostEqual(sum(layer["devices"][device] for layer in document["layers"]),
                                   sum(s["ms"] for s in run["profile"]["steps"] if s["node"]))
        self.expect(0, "bench", LANDMARKS, "--device", "gpu,cpu", "--runs", 1, "--layers", 2, says="layers side by side, 2 of")
        gpu = document["runs"][0]["profile"]["steps"]
        self.assertEqual((gpu[0]["kernel"], gpu[-1]["kernel"]), ("upload", "download"))
        self.assertEqual(len(gpu), document["runs"][0]["dispatches"] + 2)
        events = json.loads(trace.read_text())["traceEvents"]
        self.assertEqual(sum(e["ph"] == "X" for e in events), sum(len(r["profile"]["steps"]) for r in document["runs"]))

    def test_bench_measures_starts_and_runs_in_flight(self):
        document = json.loads(self.expect(0, "bench", LANDMARKS, "--device", "cpu,gpu", "--runs", 4, "--in-flight", 2,
                                          "--startup", "--json").stdout)
        for run in document["runs"]:
            self.assertEqual(run["in_flight"], 2)
            self.assertGreater(run["runs_per_s"], 0)
            for which in ("cold", "warm"):
                times = run["startup"][which]
                self.assertGreaterEqual(times["process_ms"], times["first_result_ms"])
        self.expect(0, "bench", LANDMARKS, "--runs", 2, "--startup", says="first result")

    def test_bench_floor_needs_no_network(self):
        document = json.loads(self.expect(0, "bench", "--floor", "--device", "cpu,gpu", "--json").stdout)
        self.assertEqual([d["device"] for d in document["devices"]], ["cpu", "gpu"])
        self.assertGreater(document["devices"][1]["dependent_dispatch_us"], 0)
        self.expect(2, "bench", says="--floor")

    def test_plan_json_has_the_documented_keys_and_a_reason_for_every_node(self):
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--json").stdout)
        for key in ("model device ops gpu_ops cpu_ops coverage_ops coverage_macs partitions transfers transfer_bytes "
                    "dispatches arena_bytes").split():
            self.assertIn(key, document)
        self.assertEqual(document["coverage_macs"], 1)
        self.assertEqual(len(document["nodes"]), document["ops"])
        self.assertTrue(all(node["reason"] for node in document["nodes"]))

    def test_plan_tells_times_on_both_devices_and_what_else_was_weighed(self):
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "hybrid", "--json",
                                          XDG_CACHE_HOME=str(self.folder)).stdout)
        self.assertEqual(sum(other["chosen"] for other in document["alternatives"]), 1)
        self.assertTrue(all(node["gpu_ms"] is not None and node["cpu_ms"] is not None for node in document["nodes"]))
        self.assertAlmostEqual(document["predicted"]["ms"],
                               min(other["ms"] for other in document["alternatives"]), delta=0.1)
        self.assertTrue(any((self.folder / "vultus").glob("nodes-*.bin")))

    def test_plan_draws_every_node_and_transfer(self):
        picture = self.folder / "plan.dot"
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--pin", "op:Conv=cpu", "--no-tune",
                                          "--dot", picture, "--json").stdout)
        text = picture.read_text()
        self.assertTrue(text.startswith("digraph"))
        self.assertEqual(text.count("tooltip="), document["ops"])
        self.assertEqual(text.count("subgraph cluster_"), document["partitions"])
        self.assertGreaterEqual(text.count("label=\"\u00a0\u00a0up ") + text.count("label=\"\u00a0\u00a0down "), document["transfers"])
        self.expect(8, "plan", LANDMARKS, "--no-tune", "--dot", self.folder / "absent" / "x.dot", says="x.dot")

    def test_a_pin_moves_a_node_and_an_unknown_one_brings_the_nearest_names(self):
        document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--pin", "op:Conv=cpu", "--no-tune",
                                          "--json").stdout)
        convolutions = [node for node in document["nodes"] if node["op"] == "Conv"]
        self.assertTrue(convolutions)
        self.assertTrue(all(node["device"] == "cpu" and "pinned" in node["reason"] for node in convolutions))
        self.assertGreater(document["gpu_ops"], 0)
        self.assertIn("without pins", [other["what"] for other in document["alternatives"]])
        self.expect(2, "plan", LANDMARKS, "--device", "gpu", "--pin", convolutions[0]["name"] + "x=cpu",
                    says=convolutions[0]["name"])
        self.expect(2, "run", LANDMARKS, "-o", self.folder, "--pin", "x=npu", says="NODE=cpu")
        self.expect(5, "plan", LANDMARKS, "--device", "cpu", "--pin", "op:Conv=gpu", says="not among the devices")

    def test_check_compares_every_layer_and_mixed_needs_its_recipe(self):
        document = json.loads(self.expect(0, "check", LANDMARKS, "--json").stdout)
        self.assertGreater(len(document["nodes"]), 5)
        self.assertLess(document["worst"]["rel_l2"], 0.05)
        self.assertEqual(document["keep_fp32"], [])
        rounding = self.expect(9, "check", LANDMARKS, "--tolerance", "1e-9", "--no-recipe", says="first layer over")
        self.assertIn("the differences are rounding", rounding.stdout)
        self.assertRegex(rounding.stdout, r"the outputs:\n  \w+ ")
        self.expect(4, "bench", LANDMARKS, "--device", "gpu", "--precision", "mixed", says="vultus check")
        recipe = self.folder / "recipe.json"
        self.expect(0, "check", LANDMARKS, "-o", recipe)
        self.assertEqual(json.loads(recipe.read_text())["keep_fp32"], [])
        name = document["nodes"][0]["node"]
        recipe.write_text(json.dumps({"schema": 1, "keep_fp32": [name]}))
        arguments = ("plan", LANDMARKS, "--device", "gpu", "--no-tune", "--json", "--precision")
        narrow = json.loads(self.expect(0, *arguments, "fp16").stdout)
        mixed = json.loads(self.expect(0, *arguments, "mixed", "--recipe", recipe).stdout)
        self.assertEqual(mixed["partitions"], 1)
        self.assertGreater(mixed["weight_bytes"], narrow["weight_bytes"], "its weights are stored in fp32")
        recipe.write_text(json.dumps({"schema": 1, "keep_fp32": ["elsewhere"]}))
        self.expect(2, "run", LANDMARKS, "-o", self.folder, "--precision", "mixed", "--recipe", recipe, says="elsewhere")

    def test_inspect_tells_what_a_network_is_even_where_it_cannot_run(self):
        document = json.loads(self.expect(0, "inspect", LANDMARKS, "--json").stdout)
        self.assertEqual(document["unsupported"], [])
        self.assertEqual(sum(document["layers"]["macs_by_kernel"].values()), document["layers"]["macs"])
        self.assertEqual(document["operators"]["Conv"], document["layers"]["by_type"]["Conv"])
        self.expect(0, "inspect", LANDMARKS, says="GMAC")
        # The operator's name in the file, made into another of the same length.
        other = self.folder / "other.onnx"
        other.write_bytes(LANDMARKS.read_bytes().replace(b"\x22\x04Conv", b"\x22\x04Bonv"))
        self.expect(5, "inspect", other, says="no such operator")
        self.expect(5, "inspect", self.folder / "absent.onnx", says="absent.onnx")

    def test_plan_in_text_names_coverage(self):
        self.expect(0, "plan", LANDMARKS, "--device", "cpu", says="partitions")

    def test_timed_kernels_are_kept_and_used_unless_the_rules_are_asked_for(self):
        def plan(*options):
            document = json.loads(self.expect(0, "plan", LANDMARKS, "--device", "gpu", "--json", *options,
                                              XDG_CACHE_HOME=str(self.folder)).stdout)
            return document["tunable_convolutions"], document["timed_convolutions"], document["changed_convolutions"]

        convolutions, timed, changed = plan()
        self.assertGreater(convolutions, 0)
        self.assertEqual((timed, changed), (0, 0))
        measured = plan("--tune")
        self.assertEqual(measured[:2], (convolutions, convolutions))
        self.assertEqual(plan(), measured)
        self.assertEqual(plan("--no-tune"), (convolutions, 0, 0))
        self.expect(0, "bench", LANDMARKS, "--device", "gpu", "--runs", 1, XDG_CACHE_HOME=str(self.folder),
                    says=f"tuned {convolutions} of {convolutions} convolutions")
        self.expect(2, "plan", LANDMARKS, "--tune", "--no-tune", says="--no-tune")

    def test_the_operator_table_in_docs_is_up_to_date(self):
        table = self.expect(0, "operators").stdout
        self.assertEqual((pathlib.Path(__file__).parents[2] / "docs" / "operators.md").read_text(), table)


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
