#!/usr/bin/env python3
"""The pages of --html as a reader meets them, in headless Chromium.

usage: page_test.py VULTUS_BINARY [unittest arguments]
Needs chromium, chromium-driver, python3-selenium and pdftotext (tools/setup installs them).
"""
import base64
import os
import pathlib
import shutil
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


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
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
        model = cls.folder / "hostile.onnx"
        model.write_bytes(network(HOSTILE))
        cls.page, cls.svg, cls.dot = (cls.folder / f"plan.{kind}" for kind in ("html", "svg", "dot"))
        done = subprocess.run([VULTUS, "plan", model, "--device", "cpu", "--no-fuse", "--no-tune", "--html", cls.page, "--svg", cls.svg,
                               "--dot", cls.dot], capture_output=True, env={**os.environ, "XDG_CACHE_HOME": str(cls.folder)})
        if done.returncode:
            raise AssertionError(done.stderr.decode(errors="replace"))

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

    def test_nothing_is_complained_about_and_nothing_asked_for(self):
        import json
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
        self.assertEqual(names, ['<script>document.title="owned"</script>', '"quote\\" \\N ]]>&amp;', "{braces} |pipes| %d",
                                 "caf\u00e9\ufffd\ufffd", "x" * 4000, "</style><img src=x onerror=alert(1)>"])
        drawn = self.js("[...document.querySelectorAll('svg.graph .node text')].map(t => t.textContent)")
        self.assertIn('"quote\\" \\N ]]>&amp;', drawn)
        ElementTree.fromstring(self.svg.read_bytes())  # well-formed, and UTF-8
        self.dot.read_bytes().decode("utf-8")

    def test_every_figure_is_drawn_and_there_is_a_bar_for_every_layer(self):
        self.assertEqual(self.js("[...document.querySelectorAll('figure')].map(f => f.className)"),
                         ["timeline", "graph", "layers", "memory"])
        self.assertEqual(self.js("[...document.querySelectorAll('figure svg')].filter(s => s.getBBox().width < 10 || "
                                 "!s.getAttribute('aria-label') || !s.querySelector('.mark, .node')).length"), 0)
        self.assertEqual(self.js("[...document.querySelectorAll('figure.layers .panel')].map(p => p.querySelectorAll('.bar').length)"),
                         [len(HOSTILE)])
        self.assertEqual(self.js("document.querySelectorAll('svg.graph .node.cpu').length"), len(HOSTILE))
        self.assertEqual(self.js("[...document.querySelectorAll('th')].filter(t => !t.scope).length"), 0)

    def test_tab_reaches_the_bars_and_arrows_move_between_them(self):
        from selenium.webdriver.common.keys import Keys
        active = "document.activeElement"
        for _ in range(60):
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
        wanted = list(range(1, len(HOSTILE) + 1))
        self.assertEqual(self.js(order), wanted)
        self.js(f"{head}.querySelector('button').click()")
        self.assertEqual((self.js(order), self.js(f"{head}.getAttribute('aria-sort')")), (wanted[::-1], "descending"))
        self.js(f"{head}.querySelector('button').click()")
        self.assertEqual((self.js(order), self.js(f"{head}.getAttribute('aria-sort')")), (wanted, "ascending"))

    def test_it_prints_with_its_tables_and_fits_a_telephone(self):
        paper = self.folder / "plan.pdf"
        paper.write_bytes(base64.b64decode(self.browser.print_page()))
        text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
        for words in ("Every layer, as predicted", "Partitions in order of execution", "Blocks of partition 1", "How this was made"):
            self.assertIn(words, text)
        self.width(360)
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
