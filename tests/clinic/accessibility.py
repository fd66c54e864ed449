"""Structural accessibility checks of one HTML page, after WCAG 2.2: read with the standard parser, no browser needed.

Each check answers what is wrong, in words; an empty list means that nothing was found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LANDMARKS = {"header", "nav", "main", "footer"}
LOADS = {"src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "cite"}


@dataclass
class Node:
    """An element with its attributes, its children and its text."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    content: list[Node | str] = field(default_factory=list)

    @property
    def children(self) -> list[Node]:
        return [part for part in self.content if isinstance(part, Node)]

    def walk(self) -> list[Node]:
        return [self, *(below for child in self.children for below in child.walk())]

    def text(self) -> str:
        """The text of the element and all below it."""
        return " ".join(" ".join(part if isinstance(part, str) else part.text() for part in self.content).split())

    def find(self, *tags: str) -> list[Node]:
        return [node for node in self.walk() if node.tag in tags]


class Tree(HTMLParser):
    """The page as a tree, with what does not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#page", {})
        self.wrong: list[str] = []
        self._at = self.root
        self.feed(page)
        self.close()
        if self._at is not self.root:
            self.wrong.append(f"<{self._at.tag}> is never closed")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> has an attribute twice")
        node = Node(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.content.append(node)
        if tag not in VOID:
            self._at = node

    def handle_endtag(self, tag: str) -> None:
        if self._at.tag != tag:
            self.wrong.append(f"</{tag}> closes <{self._at.tag}>")
            return
        assert self._at.parent is not None
        self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.content.append(data)


def problems(page: str) -> list[str]:
    """Everything that any check finds."""
    tree = Tree(page)
    root = tree.root
    return [
        *tree.wrong,
        *_document(page, root),
        *_self_contained(root),
        *_landmarks(root),
        *_headings(root),
        *_names(root),
        *_tables(root),
        *_lists(root),
        *_order(root),
        *contrasts(page),
    ]


def _document(page: str, root: Node) -> list[str]:
    wrong = []
    if not page.startswith("<!DOCTYPE html>"):
        wrong.append("there is no doctype")
    (html,) = root.find("html") or [Node("html", {})]
    if not html.attributes.get("lang"):
        wrong.append("the page does not say its language")
    titles = [node for node in root.find("title") if node.text()]
    if len(titles) != 1:
        wrong.append("the page has no title, or several")
    if not any(node.attributes.get("charset", "").lower() == "utf-8" for node in root.find("meta")):
        wrong.append("the page does not say its encoding")
    for node in root.find("meta"):
        if node.attributes.get("name") == "viewport" and re.search(
            r"user-scalable\s*=\s*no|maximum-scale", node.attributes.get("content", "")
        ):
            wrong.append("zooming is switched off")
    return wrong


def _self_contained(root: Node) -> list[str]:
    wrong = []
    for node in root.walk():
        if node.tag in ("script", "iframe", "object", "embed", "link", "img", "form", "base"):
            wrong.append(f"<{node.tag}> may load or send something")
        for name, value in node.attributes.items():
            if name.startswith("on"):
                wrong.append(f"<{node.tag}> runs a script: {name}")
            if name in LOADS or (name == "href" and not value.startswith("#")):
                wrong.append(f"<{node.tag}> points out of the page: {name}")
        if node.tag == "style" and re.search(r"url\(|@import", node.text()):
            wrong.append("the style loads something")
    return wrong


def _landmarks(root: Node) -> list[str]:
    wrong = []
    for tag in ("main", "header", "footer"):
        count = len([node for node in root.find(tag) if node.parent is not None and node.parent.tag == "body"])
        if count != 1:
            wrong.append(f"{count} <{tag}> in the body")
    (body,) = root.find("body") or [Node("body", {})]
    outside = [node.tag for node in body.children if node.tag not in LANDMARKS and node.attributes.get("class") != "skip"]
    if outside:
        wrong.append(f"outside any landmark: {outside}")
    first = next((node for node in body.walk() if node.tag == "a"), None)
    if first is None or first.attributes.get("href") != "#main":
        wrong.append("the first link does not lead past the navigation")
    for node in [*root.find("nav"), *[one for one in root.walk() if one.attributes.get("role") in ("region", "note")]]:
        if not (node.attributes.get("aria-label") or node.attributes.get("aria-labelledby")):
            wrong.append(f"<{node.tag}> has no name")
    named = {node.attributes["id"]: node.text() for node in root.walk() if "id" in node.attributes}
    regions = [node for node in root.walk() if node.tag in ("nav", "section") or node.attributes.get("role") == "region"]
    names = [node.attributes.get("aria-label") or named.get(node.attributes.get("aria-labelledby", ""), "") for node in regions]
    wrong += [f"two regions are called {name}" for name in {name for name in names if name} if names.count(name) > 1]
    return wrong


def _headings(root: Node) -> list[str]:
    levels = [int(node.tag[1]) for node in root.walk() if re.fullmatch(r"h[1-6]", node.tag)]
    wrong = [f"h{later} follows h{earlier}" for earlier, later in pairwise(levels) if later > earlier + 1]
    if levels.count(1) != 1 or levels[0] != 1:
        wrong.append("the page has not one h1 at its beginning")
    return wrong + [f"an empty <{node.tag}>" for node in root.walk() if re.fullmatch(r"h[1-6]", node.tag) and not node.text()]


def _names(root: Node) -> list[str]:
    wrong = []
    ids: dict[str, Node] = {}
    for node in root.walk():
        name = node.attributes.get("id")
        if name is not None:
            if name in ids:
                wrong.append(f"the id {name} stands twice")
            if not name or re.search(r"\s", name):
                wrong.append("an id is empty or has spaces")
            ids[name] = node
    for node in root.walk():
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            for name in node.attributes.get(attribute, "").split():
                if name not in ids:
                    wrong.append(f"{attribute} points at no element")
                elif attribute != "for" and not ids[name].text():
                    wrong.append(f"{attribute} points at an element without text")
        if node.tag == "a":
            href = node.attributes.get("href", "")
            if href.startswith("#") and href[1:] not in ids:
                wrong.append(f"the link {href} leads nowhere")
            if not node.text():
                wrong.append("a link has no text")
    labels = {node.attributes["for"]: node for node in root.find("label") if "for" in node.attributes}
    for node in root.find("input"):
        label = labels.get(node.attributes.get("id", ""))
        if label is None or not label.text():
            wrong.append(f"a box has no label: {node.attributes}")
    return wrong


def _tables(root: Node) -> list[str]:
    wrong = []
    for table in root.find("table"):
        if not table.children or table.children[0].tag != "caption" or not table.children[0].text():
            wrong.append("a table has no caption")
        wrong += [
            "a table's header does not say its scope" for node in table.find("th") if node.attributes.get("scope") not in ("row", "col")
        ]
        widths = {len([cell for cell in row.children if cell.tag in ("th", "td")]) for row in table.find("tr")}
        if len(widths) > 1:
            wrong.append("the rows of a table are not of one length")
        wrong += ["a row of a table has no header" for row in table.find("tr") if not row.find("th")]
    return wrong


def _lists(root: Node) -> list[str]:
    wrong = [f"<{node.tag}> in a list" for one in root.find("ul", "ol") for node in one.children if node.tag != "li"]
    wrong += ["an empty list" for one in root.find("ul", "ol") if not one.children]
    return wrong + ["a list item outside a list" for node in root.find("li") if node.parent is None or node.parent.tag not in ("ul", "ol")]


def _order(root: Node) -> list[str]:
    """The keyboard goes through the page as it reads: nothing jumps the queue."""
    wrong = [f"<{node.tag}> jumps the order of the keyboard" for node in root.walk() if int(node.attributes.get("tabindex", "0") or 0) > 0]
    (style,) = root.find("style")
    if re.search(r"outline\s*:\s*(none|0)\b", style.text()):
        wrong.append("the style hides the focus")
    return wrong


# -- contrast -------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG between two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def contrasts(page: str) -> list[str]:
    """Colours of the style that are too near each other: text 7 to 1 (AAA, and so on a bad printer), lines 3 to 1.

    A rule without a background of its own stands on any of those that the page has.
    """
    style = "".join(re.findall(r"<style>(.*?)</style>", page, re.DOTALL))
    rules = re.findall(r"([^{}@]+)\{([^{}]*)\}", style)
    grounds = {found for _, body in rules for found in re.findall(r"background:\s*(#[0-9a-f]{6})", body)}
    wrong = []
    for selector, body in rules:
        own = re.findall(r"background:\s*(#[0-9a-f]{6})", body)
        for colour in re.findall(r"(?<![-\w])color:\s*(#[0-9a-f]{6})", body):
            for ground in own or grounds:
                if contrast(colour, ground) < 7:
                    wrong.append(f"{selector.strip()}: {colour} on {ground} is {contrast(colour, ground):.1f} to 1")
        for colour in re.findall(r"(?:border[-\w]*|outline):[^;]*?(#[0-9a-f]{6})", body):
            wrong += [f"{selector.strip()}: a line of {colour} on {ground}" for ground in own or grounds if contrast(colour, ground) < 3]
    named = re.findall(r"(?<![-\w])(?:color|background):\s*(?!#|auto)([a-z]+)", style)
    return wrong + [f"a colour without a number: {name}" for name in named]
