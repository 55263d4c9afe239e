#!/usr/bin/env python3
"""report.html of a video as a reader meets it, in headless Chromium.

usage: report_page_test.py MAKE_REPORTS_BINARY [unittest arguments]
Needs chromium, chromium-driver, python3-selenium and poppler-utils (tools/setup installs them).
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import unittest

import page_test

MAKER = pathlib.Path(sys.argv[1]).resolve()
ROWS = "[...document.querySelectorAll('#stage .row')]"


class Report(page_test.Browser, unittest.TestCase):
    NAMES = []

    @classmethod
    def write(cls):
        subprocess.run([MAKER, cls.folder], check=True)
        cls.page = cls.folder / "report.html"

    def setUp(self):
        super().setUp()
        self.data = json.loads(self.js("document.getElementById('data').textContent"))

    def plot(self, unit):
        """The drawing area of an action unit's row."""
        from selenium.webdriver.common.by import By
        rows = self.browser.find_elements(By.CSS_SELECTOR, "#stage .row")
        return next(row for row in rows if unit in row.get_attribute("textContent")).find_element(By.CSS_SELECTOR, ".u-over")

    def point(self, unit, share):
        """A pointer at a share of the length."""
        from selenium.webdriver.common.action_chains import ActionChains
        area = self.plot(unit)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", area)
        return ActionChains(self.browser).move_to_element_with_offset(area, round((share - 0.5) * area.size["width"]), 0)

    def readout(self):
        return self.js("document.querySelector('.readout p').textContent")

    def values(self, unit):
        return self.js(f"{ROWS}.find((row) => row.textContent.includes('{unit}')).querySelector('.values').textContent")

    def frame(self):
        import re
        return int(re.search(r"frame (\d+)", self.readout()).group(1))

    def expected(self, unit, frame):
        at = [u[0] for u in self.data["units"]].index(unit)
        number = [self.data["faces"][0][side][at][frame - 1] for side in ("left", "right")]
        return "".join(f"{side} {'–' if v is None else format(v / 1000, '.2f')}" for side, v in zip(("left", "right"), number))

    def test_nothing_is_complained_about_and_nothing_asked_for(self):
        self.point("AU12", 0.5).click().perform()
        self.assertEqual([m for m in self.browser.get_log("browser") if m["level"] in ("SEVERE", "WARNING")], [])
        asked = [m["params"]["request"]["url"] for m in (json.loads(e["message"])["message"] for e in self.browser.get_log("performance"))
                 if m["method"] == "Network.requestWillBeSent"]
        self.assertIn(self.page.as_uri(), asked)
        self.assertEqual({url for url in asked if not url.startswith("data:") and url.split("#")[0] != self.page.as_uri()}, set())

    def test_hostile_names_are_text(self):
        self.assertEqual(self.js("document.querySelector('h1').textContent"), '<img src=x onerror=alert(1)> & "quoted".mp4')
        self.assertEqual(self.js("document.querySelectorAll('[onerror]').length"), 0)
        self.assertEqual(self.js("[...document.images].filter((img) => img.getAttribute('src') && !img.src.startsWith('data:')).length"), 0)

    def test_pictures_of_the_face_are_drawn(self):
        self.assertEqual(self.js("[...document.querySelectorAll('.moment img, .film img')].filter((img) => img.naturalWidth < 50).length"), 0)
        self.assertEqual(self.js("[...document.querySelectorAll('.moment figcaption')].map((c) => c.firstChild.textContent.trim())"),
                         ["At rest", "Peak of the mouth"])
        self.assertGreaterEqual(self.js("document.querySelectorAll('.film li').length"), 9)

    def test_pointing_shows_the_values_of_that_time(self):
        for share in (0.1, 0.7):
            self.point("AU12", share).perform()
            frame = self.frame()
            self.assertLessEqual(abs(frame - (1 + share * 89)), 2)
            for unit in ("AU01", "AU12", "AU26"):
                self.assertEqual(self.values(unit), self.expected(unit, frame))
        self.point("AU12", 35 / 89).perform()
        self.assertEqual(self.values("AU12"), "left –right –")
        self.assertIn("no face", self.readout())

    def test_a_click_keeps_the_time_with_a_picture_until_escape(self):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys
        self.point("AU12", 0.7).click().perform()
        frame = self.frame()
        ActionChains(self.browser).move_to_element(self.browser.find_element("css selector", "h1")).perform()
        self.assertEqual(self.frame(), frame)
        self.assertEqual(self.values("AU12"), self.expected("AU12", frame))
        self.assertTrue(self.js("document.querySelector('.readout img').checkVisibility() && "
                                "document.querySelector('.readout img').src.startsWith('data:image/jpeg')"))
        self.js("document.getElementById('stage').focus()")
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.assertNotIn("frame", self.readout())

    def test_a_moment_leads_to_its_time_in_the_curves(self):
        self.js("[...document.querySelectorAll('.moment button')].at(-1).click()")
        self.assertEqual(self.frame(), 60)
        self.assertEqual(self.values("AU12"), self.expected("AU12", 60))
        self.assertEqual(self.js("document.activeElement.id"), "stage")

    def test_dragging_zooms_and_a_double_click_goes_back(self):
        from selenium.webdriver.common.action_chains import ActionChains
        whole = "[...document.querySelectorAll('.switches button')].find((b) => b.textContent === 'Whole length').disabled"
        self.assertTrue(self.js(whole))
        width = self.plot("AU12").size["width"]
        self.point("AU12", 0.5).click_and_hold().move_by_offset(round(0.25 * width), 0).release().perform()
        self.assertFalse(self.js(whole))
        self.point("AU12", 0.5).perform()
        self.assertLessEqual(abs(self.frame() - (1 + 0.625 * 89)), 2)
        self.point("AU12", 0.5).double_click().perform()
        self.assertTrue(self.js(whole))

    def test_the_keyboard_moves_zooms_and_keeps(self):
        from selenium.webdriver.common.keys import Keys
        for _ in range(60):
            self.browser.switch_to.active_element.send_keys(Keys.TAB)
            if self.js("document.activeElement.id === 'stage'"):
                break
        self.assertEqual(self.js("document.activeElement.id"), "stage")
        press = self.browser.switch_to.active_element.send_keys
        press(Keys.HOME)
        self.assertEqual(self.frame(), 1)
        press(Keys.ARROW_RIGHT)
        press(Keys.ARROW_RIGHT)
        self.assertEqual((self.frame(), self.values("AU06")), (3, self.expected("AU06", 3)))
        self.assertIn("frame 3", self.js("document.getElementById('said').textContent"))
        press(Keys.ARROW_LEFT)
        press(Keys.ENTER)
        self.assertIn("kept", self.readout())
        press("+")
        self.assertFalse(self.js("[...document.querySelectorAll('.switches button')].at(-1).disabled"))
        press(Keys.END)
        self.assertEqual(self.frame(), 90)
        press(Keys.ESCAPE)
        self.assertTrue(self.js("[...document.querySelectorAll('.switches button')].at(-1).disabled"))

    def test_switches_hide_sides_and_units(self):
        ink = """(() => { const canvas = document.querySelector('#stage canvas'), pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                  let blue = 0; for (let i = 0; i < pixels.length; i += 4) blue += pixels[i + 3] > 200 && pixels[i + 2] > 120 && pixels[i] < 60; return blue; })()"""
        self.assertGreater(self.js(ink), 200)
        self.js("document.querySelector('.side.left').click()")
        self.assertEqual(self.js("document.querySelector('.side.left').getAttribute('aria-pressed')"), "false")
        self.assertLess(self.js(f"new Promise((done) => setTimeout(() => done({ink}), 100))"), 20)
        chip = "[...document.querySelectorAll('.chip')].find((b) => b.textContent === 'AU09')"
        row = f"{ROWS}.find((row) => row.textContent.includes('AU09'))"
        self.assertTrue(self.js(f"{row}.checkVisibility()"))
        self.js(f"{chip}.click()")
        self.assertFalse(self.js(f"{row}.checkVisibility()"))

    def test_curves_break_where_the_track_changes(self):
        self.assertEqual(self.data["tracks"], [[0, 0, 29], [1, 40, 69], [2, 70, 89]])
        # Coloured pixels of AU12's drawing between two frames, their dots left out.
        ink = """((first) => {
          const row = %s.find((row) => row.textContent.includes('AU12')), over = row.querySelector('.u-over'), canvas = row.querySelector('canvas');
          const at = (frame) => (over.offsetLeft + (frame - 1) / 89 * over.clientWidth) * devicePixelRatio, from = at(first) + 3, to = at(first + 1) - 3;
          const pixels = canvas.getContext('2d').getImageData(from, 0, to - from, canvas.height).data;
          let coloured = 0;
          for (let i = 0; i < pixels.length; i += 4) coloured += pixels[i + 3] > 150 && Math.max(pixels[i], pixels[i + 2]) > 1.7 * Math.min(pixels[i], pixels[i + 2]) + 20;
          return coloured; })(%d)"""
        for frame in (64, 69, 71, 76):
            self.assertGreater(self.js(ink % (ROWS, frame)), 4, frame)
        self.assertEqual(self.js(ink % (ROWS, 70)), 0)
        self.point("AU12", 80 / 89).perform()
        self.assertIn("track 2", self.readout())
        self.point("AU12", 10 / 89).perform()
        self.assertIn("track 0", self.readout())
        self.assertIn("track (face_id)", self.js("document.getElementById('stage').textContent"))
        self.assertIn("of track 1 alone, which the asymmetry sheet is of, in 30 of 80 frames", self.js("document.getElementById('curves').textContent"))

    def test_a_unit_that_was_never_measured_has_no_curve(self):
        self.assertTrue(self.js("[...document.querySelectorAll('.chip')].find((b) => b.textContent === 'AU45').disabled"))
        self.assertFalse(self.js(f"{ROWS}.find((row) => row.textContent.includes('AU45')).querySelector('canvas').checkVisibility()"))

    def test_on_paper_the_curves_are_dark_on_white_also_where_the_screen_is_dark(self):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []})
        paper = self.folder / "report.pdf"
        paper.write_bytes(base64.b64decode(self.browser.print_page()))
        text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
        for words in ("Rest and peak", "Asymmetry", "oral commissure", "AU12", "Lip corner puller", "Where the time went", "Not a medical device"):
            self.assertIn(words, text)
        subprocess.run(["pdftoppm", "-r", "60", paper, self.folder / "sheet"], check=True)
        blue = orange = dark = total = 0
        for sheet in self.folder.glob("sheet-*.ppm"):
            pixels = sheet.read_bytes().split(b"\n", 3)[3]
            for red, green, other in zip(pixels[0::3], pixels[1::3], pixels[2::3]):
                blue += red < 90 and other > 140
                orange += red > 200 and 110 < green < 180 and other < 60
                dark += max(red, green, other) < 60
            total += len(pixels) // 3
        self.assertGreater(blue, 500)
        self.assertGreater(orange, 500)
        self.assertLess(dark / total, 0.1)
        # The device's own colours stay as they were.
        self.assertTrue(self.js("matchMedia('(prefers-color-scheme: dark)').matches"))
        self.assertFalse(self.js("document.getElementById('stage').classList.contains('printing')"))

    def test_it_fits_a_telephone(self):
        self.width(360)
        self.browser.get(self.page.as_uri())
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360)
        self.point("AU12", 0.5).click().perform()
        self.assertEqual(self.values("AU12"), self.expected("AU12", self.frame()))
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360)

    def test_tables_show_all_their_columns_in_windows_of_usual_width(self):
        for width in (1024, 1280, 1920):
            self.width(width)
            self.browser.get(self.page.as_uri())
            cut = self.js("[...document.querySelectorAll('.scroll.table')].filter((t) => t.scrollWidth > t.clientWidth).map((t) => t.ariaLabel)")
            self.assertEqual(cut, [], width)
            late = """[...document.querySelectorAll('#curves td.keep')].filter((cell) => cell.textContent.includes('frame'))
              .map((cell) => { cell.className = 'text words'; cell.textContent = '1:59:59.99, frame 215999'; }).length"""
            self.assertEqual(self.js(late), 16)
            self.assertEqual(self.js("[...document.querySelectorAll('#curves .scroll.table')].filter((t) => t.scrollWidth > t.clientWidth).length"), 0)
            self.assertGreaterEqual(self.js("document.querySelectorAll('#curves .scroll.table thead th').length"), 9)

    def test_without_scripts_pictures_sheet_and_tables_are_there(self):
        self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        self.addCleanup(self.browser.execute_cdp_cmd, "Emulation.setScriptExecutionDisabled", {"value": False})
        self.browser.get(self.page.as_uri())
        text = self.browser.find_element("css selector", "body").text
        for words in ("The curves need JavaScript", "oral commissure", "31.2", "no: small face", "Lip corner puller", "Where the time went",
                      "the face was lost once", "pfld98", "Not a medical device"):
            self.assertIn(words, text)
        images = self.browser.find_elements("css selector", ".film img, .moment img")
        self.assertGreaterEqual(len(images), 10)
        self.assertTrue(all(image.is_displayed() for image in images))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
