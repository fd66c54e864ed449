"""HTML written by functions: every text escaped, every element closed, and the style of the day list.

The page is for paper first: black on white, nothing said by colour alone, each record on sheets of its
own. It holds no script and asks for nothing from anywhere.
"""

from __future__ import annotations

from html import escape

from .text import clean

_VOID = frozenset({"input", "meta", "br"})


class Html(str):
    """Text that is markup already; all other text is escaped."""

    __slots__ = ()


def el(tag: str, *inside: str | None, **attributes: str | bool | None) -> Html:
    """An element. Attributes end in an underscore where Python has the word; ``aria_label`` is ``aria-label``.

    >>> el("p", "5 < 6", class_="note")
    '<p class="note">5 &lt; 6</p>'
    """
    said = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(clean(str(value)), quote=True)}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Html(f"<{tag}{said}>")
    return Html(f"<{tag}{said}>{join(*inside)}</{tag}>")


def join(*parts: str | None) -> Html:
    """Parts one after the other, texts among them escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(clean(part), quote=False) for part in parts if part))


def listed(items: list[Html], class_: str | None = None) -> Html:
    """A list of items; nothing for none."""
    return el("ul", *(el("li", one) for one in items), class_=class_) if items else Html("")


def document(title: str, style: str, *body: str | None) -> str:
    """A whole page that may load nothing."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        Html("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        Html(f"<style>{style}</style>"),
    )
    return f"<!DOCTYPE html>\n{el('html', head, el('body', *body), lang='en')}\n"


STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 78rem; color: #000000; background: #ffffff;
  font: 16px/1.45 "DejaVu Sans", "Liberation Sans", Arial, Helvetica, sans-serif; }
h1 { font-size: 1.6em; margin: 0 0 .4rem; }
h2 { font-size: 1.35em; margin: 2rem 0 .5rem; padding-top: .3rem; border-top: 3px solid #000000; }
h3 { font-size: 1.1em; margin: 1.6rem 0 .2rem; }
h4 { font-size: 1em; margin: 1rem 0 .2rem; }
h5 { font-size: 1em; font-weight: normal; text-decoration: underline; margin: .8rem 0 .2rem; }
p { margin: .3rem 0; max-width: 72ch; }
a { color: #000000; text-decoration: underline; }
a:focus-visible, input:focus-visible, [tabindex]:focus-visible { outline: 3px solid #000000; outline-offset: 3px; }
.skip { position: absolute; left: -999rem; background: #ffffff; color: #000000; padding: .5rem; }
.skip:focus { left: 1rem; top: 1rem; }
.note { color: #404040; font-size: .92em; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem .5rem; margin: .4rem 0; }
nav a { display: inline-block; padding: .3rem .6rem; border: 1px solid #000000; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .86em; }
caption { text-align: left; padding: .3rem 0; max-width: 72ch; }
th, td { border: 1px solid #6b6b6b; padding: .25rem .45rem; text-align: left; vertical-align: top; }
th { background: #ececec; color: #000000; }
thead th { overflow-wrap: anywhere; }
td a { display: block; min-height: 1.5rem; }
td.barrier { border-left: .4rem double #000000; font-weight: bold; }
td.clear { background: #e4e4e4; color: #000000; border-left: .4rem solid #000000; }
.notice { border: 3px solid #000000; padding: .4rem .7rem; margin: .5rem 0; font-weight: bold; }
.status { font-weight: bold; }
ul { margin: .2rem 0; padding-left: 1.4rem; }
ul.boxes { list-style: none; padding-left: 0; }
ul.boxes > li { margin: .55rem 0; padding-left: 2rem; position: relative; }
ul.boxes > li > input { position: absolute; left: .1rem; top: .2rem; }
input[type="checkbox"] { width: 1.15rem; height: 1.15rem; margin: 0 .25rem 0 0; accent-color: #000000; vertical-align: -.15rem; }
.id { font-weight: bold; }
.facts { list-style: none; padding-left: 0; font-size: .92em; }
.facts li { display: grid; grid-template-columns: 5.4rem 1fr; }
.facts b { font-weight: normal; color: #404040; }
.question { margin: .55rem 0; padding-left: 0; }
.yesno { display: inline-flex; gap: 1.2rem; margin: .15rem 0 .15rem 0; }
.yesno label { padding: .1rem .2rem; }
.sign { margin-top: 1.4rem; }
footer { margin-top: 2rem; border-top: 3px solid #000000; padding-top: .5rem; }
@media (max-width: 40rem) { body { padding: .7rem; } .facts li { grid-template-columns: 1fr; } }
@page { size: A4; margin: 13mm 12mm 15mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }
@page matrix { size: A4 landscape; }
@media print {
  body { padding: 0; max-width: none; font-size: 8.8pt; line-height: 1.32; }
  p, caption { max-width: none; margin: .5mm 0; }
  h2 { margin: 0 0 1.5mm; }
  h3 { margin: 4mm 0 .5mm; }
  h4, h5 { margin: 2mm 0 .5mm; }
  ul.boxes > li { margin: 1mm 0; padding-left: 6mm; }
  .facts li { grid-template-columns: 17mm 1fr; }
  input[type="checkbox"] { width: 3.4mm; height: 3.4mm; }
  nav, .skip { display: none; }
  header, .matrix { page: matrix; }
  .wide { overflow: visible; }
  table { font-size: 7.4pt; }
  th, td { padding: .6mm 1mm; }
  .patient { break-before: page; }
  h2, h3, h4, h5, .status { break-after: avoid; break-inside: avoid; }
  li, tr, .notice { break-inside: avoid; }
  a { text-decoration: none; }
  thead { display: table-header-group; }
  td.barrier, td.clear, th { print-color-adjust: exact; }
}
"""
