#!/usr/bin/env python3
"""What `vultus bench`, `plan`, `check` and `inspect` tell as text and as JSON.

usage: cli_reports_test.py VULTUS_BINARY DEFAULT_PACK [unittest arguments]
Needs the standard library only.
"""
import json
import pathlib
import sys
import unittest

from cli_cases import LANDMARKS, Cli


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


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
