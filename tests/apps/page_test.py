#!/usr/bin/env python3
"""The pages of --html as a reader meets them, in headless Chromium.

usage: page_test.py VULTUS_BINARY [unittest arguments]
Needs chromium, chromium-driver, python3-selenium and pdftotext (tools/setup installs them).
"""
import base64
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from xml.etree import ElementTree

VULTUS = pathlib.Path(sys.argv[1]).resolve()
# Quotes, markup, DOT escapes, bytes that are no UTF-8, and four thousand of one letter.
HOSTILE = [b'<script>document.title="owned"</script>', b'"quote\\" \\N ]]>&amp;', b"{braces} |pipes| %d", b"caf\xc3\xa9\xff\xfe",
           b"x" * 4000, b"</style><img src=x onerror=alert(1)>"]


def field(number, payload):
    """A protobuf field: bytes, or a number."""
    def varint(value):
        out = b""
        while value >= 0x80:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def network(names):
    """A chain of Sigmoid and MaxPool layers on 1x1x16x16, an ONNX file."""
    def value(name):
        dims = b"".join(field(1, field(1, size)) for size in (1, 1, 16, 16))
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))
    nodes, last = b"", b"in"
    ones = field(1, b"kernel_shape") + b"".join(field(8, 1) for _ in range(2)) + field(20, 7)
    for i, name in enumerate(names):
        out = b"out" if i + 1 == len(names) else b"v%d " % i + name
        kind = field(4, b"Sigmoid") if i % 2 else field(4, b"MaxPool") + field(5, ones)
        nodes, last = nodes + field(1, field(1, last) + field(2, out) + field(3, name) + kind), out
    graph = nodes + field(2, b"g") + field(11, value(b"in")) + field(12, value(b"out"))
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def test_data(folder, layers):
    """Test data in the ONNX layout for a network of that many layers: zeros, and what comes of them."""
    result = 0.0
    for _ in range(layers // 2):
        result = 1 / (1 + math.exp(-result))
    folder.mkdir()
    for name, value in (("input_0.pb", 0.0), ("output_0.pb", result)):
        dims = b"".join(field(1, size) for size in (1, 1, 16, 16))
        (folder / name).write_bytes(dims + field(2, 1) + field(9, struct.pack("<256f", *[value] * 256)))
    return folder


def installed():
    """Skips where there is no browser, which CI must have."""
    missing = [name for name in ("chromium", "chromedriver", "pdftotext") if not shutil.which(name)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        missing.append("python3-selenium")
    if missing and not os.environ.get("CI"):
        raise unittest.SkipTest(f"not installed: {', '.join(missing)} (tools/setup)")
    if missing:
        raise AssertionError(f"not installed in CI: {', '.join(missing)}")


def vultus(*arguments, folder, code=0):
    done = subprocess.run([VULTUS, *arguments], capture_output=True, env={**os.environ, "XDG_CACHE_HOME": str(folder)})
    if done.returncode != code:
        raise AssertionError(done.stderr.decode(errors="replace"))
    return done.stdout


def has_gpu():
    return bool(json.loads(vultus("devices", "--json", folder=tempfile.gettempdir())).get("gpu", {}).get("devices"))


class Browser:
    """A page in Chromium, made by `write` of a network with layers of these names."""
    NAMES = HOSTILE

    @classmethod
    def setUpClass(cls):
        installed()
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="vultus-pages-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        options = webdriver.ChromeOptions()
        for word in ("headless no-sandbox disable-gpu disable-background-networking disable-component-update disable-sync "
                     "no-first-run").split():
            options.add_argument("--" + word)
        options.add_argument(f"--user-data-dir={cls.folder / 'profile'}")
        options.binary_location = shutil.which("chromium")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        cls.addClassCleanup(cls.browser.quit)
        cls.model = cls.folder / "hostile.onnx"
        cls.model.write_bytes(network(cls.NAMES))
        cls.page = cls.folder / "page.html"
        cls.write()
        left = [path.name for path in cls.folder.glob("*.tmp")]
        if left:
            raise AssertionError(f"temporary files stay: {left}")

    def setUp(self):
        self.width(1100)
        self.browser.get("about:blank")
        for log in ("browser", "performance"):  # of the browser's own pages
            self.browser.get_log(log)
        self.browser.get(self.page.as_uri())

    def width(self, pixels):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False})

    def js(self, code):
        return self.browser.execute_script("return " + code)

    def column(self, section, heading, table=0):
        """The sort values of a column of numbers, else its texts, from top to bottom."""
        return self.browser.execute_script("""
            const table = document.querySelectorAll(`#${arguments[0]} table`)[arguments[2]];
            const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === arguments[1]);
            return [...table.tBodies[0].rows].map((row) => row.cells[at].dataset.v === undefined ? row.cells[at].textContent
                                                                                                 : Number(row.cells[at].dataset.v));
            """, section, heading, table)

    def printed(self):
        paper = self.folder / "page.pdf"
        paper.write_bytes(base64.b64decode(self.browser.print_page()))
        return subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout


class Page(Browser):
    """What holds for every page."""

    def test_nothing_is_complained_about_and_nothing_asked_for(self):
        self.assertEqual([m for m in self.browser.get_log("browser") if m["level"] in ("SEVERE", "WARNING")], [])
        asked = [m["params"]["request"]["url"] for m in (json.loads(e["message"])["message"] for e in self.browser.get_log("performance"))
                 if m["method"] == "Network.requestWillBeSent"]
        self.assertIn(self.page.as_uri(), asked)
        self.assertEqual({url for url in asked if url.split("#")[0] != self.page.as_uri()}, set())
        self.assertIn("default-src 'none'", self.page.read_text())

    def test_hostile_names_are_text(self):
        self.assertIn("hostile.onnx", self.js("document.title"))
        self.assertEqual(self.js("[...document.querySelectorAll('script')].length"), 1)
        self.assertEqual(self.js("[...document.querySelectorAll('img,iframe,object,link,[onerror]')].length"), 0)
        names = self.js("[...document.querySelectorAll('#layers tbody th')].map(th => th.textContent)")
        self.assertEqual(names[:len(HOSTILE)], ['<script>document.title="owned"</script>', '"quote\\" \\N ]]>&amp;', "{braces} |pipes| %d",
                                                "caf\u00e9\ufffd\ufffd", "x" * 4000, "</style><img src=x onerror=alert(1)>"])
        self.assertEqual(len(names), len(self.NAMES))
        drawn = self.js("[...document.querySelectorAll('svg.graph .node text')].map(t => t.textContent)")
        self.assertIn('"quote\\" \\N ]]>&amp;', drawn)

    def test_every_figure_is_drawn_and_there_is_a_bar_for_every_layer(self):
        self.assertEqual(self.js("[...document.querySelectorAll('figure')].map(f => f.className)"), self.FIGURES)
        self.assertEqual(self.js("[...document.querySelectorAll('figure svg')].filter(s => s.getBBox().width < 10 || "
                                 "!s.getAttribute('aria-label') || !s.querySelector('.mark, .node')).length"), 0)
        self.assertEqual(self.js("[...document.querySelectorAll('figure.layers .panel')].map(p => p.querySelectorAll('.bar').length)"),
                         [len(self.NAMES)] * self.PANELS)
        self.assertEqual(self.js("document.querySelectorAll('svg.graph .node:is(.cpu, .gpu)').length"), len(self.NAMES))
        self.assertEqual(self.js("[...document.querySelectorAll('th')].filter(t => !t.scope).length"), 0)

    def test_text_in_boxes_and_on_arrows_of_the_picture_stays_where_it_belongs(self):
        self.assertEqual(self.js("""[...document.querySelectorAll('svg.graph .node:is(.cpu, .gpu)')].filter((node) => {
            const box = node.querySelector('polygon, path').getBoundingClientRect();
            return [...node.querySelectorAll('text')].some((text) => {
              const at = text.getBoundingClientRect();
              return at.left < box.left || at.right > box.right || at.top < box.top || at.bottom > box.bottom; });
            }).map((node) => node.textContent)"""), [])

    def test_tab_reaches_the_bars_and_arrows_move_between_them(self):
        from selenium.webdriver.common.keys import Keys
        active = "document.activeElement"
        for _ in range(120):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            if self.js(f"{active}.matches('figure.layers .bar')"):
                break
        self.assertTrue(self.js(f"{active}.matches('figure.layers .bar')"))
        self.assertIn("owned", self.js("document.getElementById('tip').checkVisibility() && document.getElementById('tip').textContent"))
        self.browser.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        self.assertIn("quote", self.js("document.getElementById('tip').textContent"))
        self.assertIn("quote", self.js(f"{active}.getAttribute('aria-label')"))
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.assertFalse(self.js("document.getElementById('tip').checkVisibility()"))

    def test_columns_sort_in_both_directions(self):
        head = "document.querySelectorAll('#layers th[scope=col]')[1]"
        order = "[...document.querySelectorAll('#layers tbody tr')].map(r => Number(r.cells[1].textContent))"
        wanted = list(range(1, len(self.NAMES) + 1))
        self.assertEqual(self.js(order), wanted)
        self.js(f"{head}.querySelector('button').click()")
        self.assertEqual((self.js(order), self.js(f"{head}.getAttribute('aria-sort')")), (wanted[::-1], "descending"))
        self.js(f"{head}.querySelector('button').click()")
        self.assertEqual((self.js(order), self.js(f"{head}.getAttribute('aria-sort')")), (wanted, "ascending"))

    def test_it_prints_with_its_tables_and_fits_a_telephone(self):
        text = self.printed()
        for words in self.PRINTED:
            self.assertIn(words, text)
        self.width(360)
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360)


class Plan(Page, unittest.TestCase):
    FIGURES = ["timeline", "graph", "layers", "memory"]
    PANELS = 1
    PRINTED = ("Every layer, as predicted", "Partitions in order of execution", "Blocks of partition 1", "How this was made")

    @classmethod
    def write(cls):
        cls.svg, cls.dot = cls.folder / "plan.svg", cls.folder / "plan.dot"
        vultus("plan", cls.model, "--device", "cpu", "--no-fuse", "--no-tune", "--html", cls.page, "--svg", cls.svg, "--dot", cls.dot,
               folder=cls.folder)

    def test_pictures_of_hostile_names_are_well_formed(self):
        ElementTree.fromstring(self.svg.read_bytes())  # and UTF-8
        self.dot.read_bytes().decode("utf-8")


class PlanOfManyPartitions(Browser, unittest.TestCase):
    """Too many layers for a picture of each, and too many partitions for a sheet of paper."""
    NAMES = [b"layer %d" % i for i in range(420)]

    @classmethod
    def write(cls):
        if not has_gpu():
            raise unittest.SkipTest("no Vulkan device")
        pins = [word for i in range(1, 131, 2) for word in ("--pin", f"layer {i}=cpu")]
        cls.plan = json.loads(vultus("plan", cls.model, "--device", "gpu", "--no-fuse", "--no-tune", *pins, "--json", "--html", cls.page,
                                     folder=cls.folder))

    def test_partitions_are_drawn_and_the_largest_memories(self):
        self.assertEqual(self.plan["partitions"], 131)
        self.assertEqual(self.js("document.querySelectorAll('svg.graph .node.gpu').length"), 66)
        self.assertEqual(self.js("document.querySelectorAll('svg.graph .node.cpu').length"), 65)
        self.assertIn("Every partition", self.js("document.querySelector('figure.graph figcaption').textContent"))
        self.assertEqual(len(self.column("partitions", "Partition")), 131)
        self.assertEqual(self.js("document.querySelectorAll('figure.memory').length"), 8)
        self.assertIn("Of 131 partitions", self.js("document.getElementById('memory').textContent"))

    def test_what_begins_the_network_is_in_view(self):
        self.assertTrue(self.js("""(() => {
            const view = document.querySelector('figure.graph .scroll').getBoundingClientRect();
            const boxes = [...document.querySelectorAll('svg.graph .node')].map((node) => node.getBoundingClientRect());
            const first = boxes.reduce((a, b) => (b.top < a.top ? b : a));
            return first.left >= view.left && first.right <= view.right && first.top >= view.top && first.bottom <= view.bottom;
            })()"""))

    def test_a_button_shows_the_whole_picture_and_again_a_part(self):
        from selenium.webdriver.common.keys import Keys
        button = "document.querySelector('button.whole')"
        hidden = "(() => { const f = document.querySelector('figure.graph .scroll'); return f.scrollHeight - f.clientHeight; })()"
        self.assertGreater(self.js(hidden), 1000)
        self.js(f"{button}.focus()")
        self.browser.switch_to.active_element.send_keys(Keys.ENTER)
        self.assertEqual((self.js(hidden), self.js(f"{button}.getAttribute('aria-pressed')")), (0, "true"))
        self.browser.switch_to.active_element.send_keys(Keys.ENTER)
        self.assertEqual((self.js(hidden) > 1000, self.js(f"{button}.getAttribute('aria-pressed')")), (True, "false"))

    def test_on_paper_a_sentence_stands_for_the_picture(self):
        text = self.printed()
        self.assertIn("too large for paper", text)
        self.assertFalse(self.js("document.querySelector('p.paper').checkVisibility()"))


class Bench(Page, unittest.TestCase):
    # Enough that tables have a filter and take several sheets.
    NAMES = HOSTILE + [b"layer %d" % i for i in range(90)]

    @classmethod
    def setUpClass(cls):
        installed()
        cls.devices = ["cpu", "gpu", "hybrid"] if has_gpu() else ["cpu"]
        cls.FIGURES = ["ranges", "split", *["timeline"] * len(cls.devices), "graph", "layers"]
        cls.PANELS = len(cls.devices)
        super().setUpClass()

    PRINTED = ("Time of a run", "Where the time of a run near the median went", "Every layer, measured one by one",
               "Layers by operator", "Plans", "Loading", "How this was made", "SHA-256")

    @classmethod
    def write(cls):
        cls.bench = json.loads(vultus("bench", cls.model, "--device", ",".join(cls.devices), "--no-fuse", "--runs", "5", "--warmup", "1",
                                      "--in-flight", "2", "--input", test_data(cls.folder / "data", len(cls.NAMES)), "--json", "--html", cls.page,
                                      folder=cls.folder))

    def assert_column(self, section, heading, wanted, table=0):
        got = self.column(section, heading, table)
        self.assertEqual(len(got), len(wanted))
        for have, want in zip(got, wanted):
            if isinstance(want, str):
                self.assertEqual(have, want)
            else:
                self.assertAlmostEqual(have, -1 if want is None else want, delta=abs(want or 1) * 1e-6, msg=heading)

    def test_numbers_are_those_of_the_document(self):
        runs, layers = self.bench["runs"], self.bench["layers"]
        for heading, key in (("Median", "median_ms"), ("95 % within", "p95_ms"), ("Fastest", "min_ms"), ("Slowest", "max_ms"),
                             ("Predicted", "predicted_ms"), ("GFLOP/s", "gflops"), ("Batch", "batch"), ("Precision", "precision")):
            self.assert_column("times", heading, [run[key] for run in runs])
        self.assert_column("times", "Runs per second", [run["runs_per_s"] for run in runs], table=1)
        for heading, key in (("Upload", "upload_ms"), ("Compute", "compute_ms"), ("Read-back", "read_back_ms"), ("Host", "host_ms"),
                             ("Side by side", "overlap_ms"), ("The run", "wall_ms")):
            self.assert_column("split", heading + ", ms", [run["split"].get(key) for run in runs])
        for heading, key in (("Partitions", "partitions"), ("Dispatches", "dispatches"), ("Barriers", "barriers"),
                             ("Uploads", "upload_bytes"), ("Activations", "arena_bytes"), ("Weights", "weight_bytes")):
            self.assert_column("loaded", heading, [run[key] for run in runs])
        for heading, key in (("Compile, ms", "compile_ms"), ("First run, ms", "first_ms")):
            self.assert_column("loaded", heading, [run[key] for run in runs], table=1)
        self.assertEqual(len(layers), len(self.NAMES))
        self.assert_column("layers", "Output", [layer["output"] for layer in layers])
        for device in self.devices:
            heading = (device.upper() if device != "hybrid" else device) + ", ms"
            self.assert_column("layers", heading, [layer["devices"][device] for layer in layers])
            for op, total in zip(self.column("operators", "Operator"), self.column("operators", heading)):
                self.assertAlmostEqual(total, sum(layer["devices"][device] for layer in layers if layer["op"] == op), delta=total * 1e-6)
        advice = self.js("[...document.querySelectorAll('#advice li')].map(li => li.textContent)")
        self.assertEqual(len(advice), sum(len(run["advice"]) for run in runs))

    def test_outputs_are_set_against_the_test_data(self):
        outputs = [output for run in self.bench["runs"] for output in run["outputs"]]
        self.assertEqual(len(outputs), len(self.devices))
        self.assert_column("outputs", "Output", ["out"] * len(outputs))
        self.assert_column("outputs", "Verdict", ["within tolerance"] * len(outputs))
        for heading, key in (("Worst absolute", "max_abs"), ("Worst relative", "max_rel"), ("Relative L2", "rel_l2")):
            self.assert_column("outputs", heading, [output[key] for output in outputs])

    def test_charts_have_the_lengths_of_their_numbers(self):
        runs = self.bench["runs"]
        widths = self.js("[...document.querySelectorAll('figure.ranges .range > rect:not(.hit)')].map(r => Number(r.getAttribute('width')))")
        for width, run in zip(widths, runs, strict=True):
            self.assertAlmostEqual(width / widths[0], run["median_ms"] / runs[0]["median_ms"], 
                                   delta=0.02 * run["median_ms"] / runs[0]["median_ms"] + 0.02)
        spans = self.js("[...document.querySelectorAll('figure.timeline')].map(f => f.querySelectorAll('.span').length)")
        self.assertEqual(spans, [len(run["timeline"]) for run in runs])

    def test_the_filter_leaves_the_rows_that_have_the_words(self):
        from selenium.webdriver.common.by import By
        self.browser.find_element(By.CSS_SELECTOR, "#layers .filter input").send_keys("LAYER 7")
        left = self.js("[...document.querySelectorAll('#layers tbody tr')].filter(r => r.checkVisibility()).map(r => r.cells[0].textContent)")
        self.assertEqual(left, ["layer 7"] + [f"layer 7{i}" for i in range(10)])
        self.assertEqual(self.js("document.getElementById('said').textContent"), f"11 of {len(self.NAMES)} rows")

    def test_how_it_was_measured_is_told(self):
        text = self.js("document.getElementById('made').textContent")
        import hashlib
        for words in (hashlib.sha256(self.model.read_bytes()).hexdigest(), "5 timed runs, after 1 without timing", "vultus bench",
                      *(device[key] for run in self.bench["runs"] for device in run["devices_used"] for key in ("name", "driver"))):
            self.assertIn(words, text)
        self.assertRegex(text, r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")

    def test_long_tables_have_their_head_on_every_sheet(self):
        sheets = [sheet for sheet in self.printed().split("\f") if "1x1x16x16" in sheet]
        self.assertGreater(len(sheets), 1)
        for sheet in sheets:
            self.assertIn("Output", sheet)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
