"""The day list in a real browser: its layout, its print, the keyboard, and what an assistive program is told.

Skips where there is no Chromium; ``.ci/run`` installs it from Debian's packages.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic.browser import Browser, browser, chromium
from clinic.desk import DATE, FIXTURES
from eligibility.report import html
from eligibility.report.results import Results
from eligibility.screening import Screener, screen_with

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium here; Debian's package chromium brings it")
TAB, SPACE, ENTER = ("Tab", 9), (" ", 32), ("Enter", 13)


@pytest.fixture(scope="module")
def shown(results: Results, screener: Screener, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "monday.html"
    path.write_text(html.page(results, screener.words(), screener.plans), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def monday(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A whole Monday: fifteen charts against the shipped trials of a disease."""
    screener = Screener.build(as_of=DATE, diseases=["ms"], flags=False)
    charts = sorted(FIXTURES.glob("*.yaml"))[:15]
    path = tmp_path_factory.mktemp("page") / "monday.html"
    found = screen_with(screener, list(charts))
    path.write_text(html.page(found, screener.words(), screener.plans), encoding="utf-8")
    return path, len(found.patients)


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as running:
        yield running


# -- layout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 768, 1200, 1900])
def test_the_page_fits_its_window_and_nothing_is_cut_off(chrome: Browser, shown: Path, width: int) -> None:
    chrome.open(shown, width=width)
    assert chrome.value("document.documentElement.scrollWidth") <= width
    cut = chrome.value(
        """[...document.querySelectorAll('main *')].filter(e => !e.closest('.wide')).filter(e => {
             const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1) }).map(e => e.tagName)"""
    )
    assert cut == []


def test_no_texts_lie_over_each_other(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    over = chrome.value(
        """(() => { const found = []; for (const list of document.querySelectorAll('ul')) { let last = -1;
             if (getComputedStyle(list).display === 'flex') continue;
             for (const item of list.children) { const r = item.getBoundingClientRect();
               if (r.top < last - 1) found.push(item.textContent.slice(0, 40)); last = r.bottom } }
             return found })()"""
    )
    assert over == []


def test_the_browser_loads_nothing_and_has_nothing_to_say(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    asked = [event["params"]["request"]["url"] for event in chrome.events if event.get("method") == "Network.requestWillBeSent"]
    assert asked == [shown.as_uri()]
    said = [
        event for event in chrome.events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    ]
    assert said == []


def test_boxes_stand_beside_their_labels(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    apart = chrome.value(
        """[...document.querySelectorAll('input')].filter(i => { const a = i.getBoundingClientRect(),
             b = i.labels[0].getBoundingClientRect(); return a.width < 14 || a.bottom < b.top || a.top > b.bottom }).length"""
    )
    assert apart == 0


def test_it_reads_in_black_and_white(chrome: Browser, shown: Path) -> None:
    """Every colour that is shown is a grey, and a screenshot has no other."""
    chrome.open(shown)
    colours = chrome.value(
        """[...new Set([...document.querySelectorAll('body *')].flatMap(e => { const s = getComputedStyle(e);
             return [s.color, s.backgroundColor, s.borderLeftColor] }))]"""
    )
    for colour in colours:
        red, green, blue, *_ = re.findall(r"[\d.]+", colour)
        assert red == green == blue, colour
    assert dark_share(chrome.screenshot()) > 0.01, "something is written on it"


def dark_share(png: bytes) -> float:
    """The share of dark pixels of an RGB or RGBA PNG; asserts that none has a colour."""
    at, width, channels, data = 8, 0, 0, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, channels = struct.unpack(">I", body[:4])[0], {2: 3, 6: 4}[body[9]]
        data += body if kind == b"IDAT" else b""
        at += length + 12
    raw = zlib.decompress(data)
    stride = width * channels
    before, dark, count = bytearray(stride), 0, 0
    for start in range(0, len(raw), stride + 1):
        line = bytearray(raw[start + 1 : start + 1 + stride])
        _unfilter(raw[start], line, before, channels)
        for pixel in range(0, stride, channels * 7):  # every seventh will do
            red, green, blue = line[pixel : pixel + 3]
            assert max(red, green, blue) - min(red, green, blue) < 12, (red, green, blue)
            dark += red < 128
            count += 1
        before = line
    return dark / count


def _unfilter(kind: int, line: bytearray, before: bytearray, channels: int) -> None:
    for at in range(len(line)):
        left = line[at - channels] if at >= channels else 0
        up = before[at]
        corner = before[at - channels] if at >= channels else 0
        if kind == 1:
            line[at] = (line[at] + left) & 255
        elif kind == 2:
            line[at] = (line[at] + up) & 255
        elif kind == 3:
            line[at] = (line[at] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            line[at] = (line[at] + near) & 255


# -- print ----------------------------------------------------------------------------------------


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_each_record_prints_on_sheets_of_its_own(chrome: Browser, monday: tuple[Path, int]) -> None:
    path, records = monday
    chrome.open(path)
    whole = pages(chrome.pdf())
    assert whole >= records + 1
    # without the breaks between records it takes fewer sheets: each record does begin a new one
    chrome.value("for (const e of document.querySelectorAll('.patient')) e.style.breakBefore = 'auto'")
    assert pages(chrome.pdf()) < whole
    assert whole < records * 12, "a Monday is printed, not a book"


def test_the_matrix_prints_across_and_the_records_upright(chrome: Browser, monday: tuple[Path, int]) -> None:
    path, records = monday
    chrome.open(path)
    pdf = chrome.pdf()
    boxes = [tuple(float(end) for end in found.split()) for found in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", pdf)]
    across = sum(right > top for _, _, right, top in boxes)
    upright = sum(right < top for _, _, right, top in boxes)
    assert 1 <= across <= 3
    assert upright >= records


def test_print_hides_what_only_a_screen_needs_and_keeps_the_boxes(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    chrome.call("Emulation.setEmulatedMedia", media="print")
    try:
        assert chrome.value("getComputedStyle(document.querySelector('nav')).display") == "none"
        assert chrome.value("document.querySelectorAll('input').length") == chrome.value(
            "[...document.querySelectorAll('input')].filter(e => e.getBoundingClientRect().width > 8).length"
        )
        assert chrome.value("getComputedStyle(document.querySelector('.patient')).breakBefore") == "page"
        small = chrome.value("Math.min(...[...document.querySelectorAll('.patient *')].map(e => parseFloat(getComputedStyle(e).fontSize)))")
        assert small >= 10, "7.5 points is the least that is read on paper"
    finally:
        chrome.call("Emulation.setEmulatedMedia", media="")


# -- keyboard -------------------------------------------------------------------------------------


def focused(chrome: Browser) -> str:
    found = chrome.value("(e => e === document.body ? '' : e.id || e.getAttribute('href') || e.className)(document.activeElement)")
    return str(found)


def test_the_keyboard_reaches_everything_in_the_order_it_reads(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    expected = chrome.value(
        "[...document.querySelectorAll('a, input, [tabindex=\"0\"]')].map(e => e.id || e.getAttribute('href') || e.className)"
    )
    reached = []
    for _ in expected:
        chrome.key(*TAB)
        reached.append(focused(chrome))
    assert reached == expected
    assert len(reached) > 20


def test_the_first_stop_leads_past_the_navigation_and_is_seen(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    chrome.key(*TAB)
    assert focused(chrome) == "#main"
    assert chrome.value("document.activeElement.getBoundingClientRect().left") >= 0
    chrome.key(*ENTER, text="\r")
    chrome.key(*TAB)
    assert chrome.value("document.querySelector('main').contains(document.activeElement)") is True


def test_focus_is_seen_and_space_ticks_a_box(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    count = chrome.value("[...document.querySelectorAll('a, input, [tabindex=\"0\"]')].findIndex(e => e.tagName === 'INPUT')")
    for _ in range(count + 1):
        chrome.key(*TAB)
    assert chrome.value("document.activeElement.type") == "checkbox"
    assert chrome.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert chrome.value("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    chrome.key(*SPACE, text=" ")
    assert chrome.value("document.activeElement.checked") is True


def test_a_cell_of_the_matrix_leads_to_its_record_and_trial(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    chrome.value("document.querySelector('td a').focus()")
    chrome.key(*ENTER, text="\r")
    assert chrome.value("location.hash") == "#r1-1"
    assert str(chrome.value("document.querySelector(location.hash).textContent")).startswith("p1 and CLINIC-1")


# -- what an assistive program is told --------------------------------------------------------------


def test_every_control_and_region_has_a_name(chrome: Browser, shown: Path) -> None:
    chrome.open(shown)
    told = chrome.names()
    roles = [role for role, _ in told]
    for role in ("banner", "navigation", "main", "contentinfo", "table", "heading", "checkbox", "columnheader", "rowheader"):
        assert role in roles, role
    for role, name in told:
        if role in ("checkbox", "link", "heading", "navigation", "region", "table", "note", "rowheader", "columnheader"):
            assert name.strip(), role
    assert ("checkbox", "yes") in told
    assert any(role == "checkbox" and name.startswith("I3 inclusion: ") for role, name in told)
