"""Workbooks as bytes that depend on their content alone.

openpyxl stamps the clock into what it writes; the same cells would give other bytes a second later.
Here the stamps are those of the date the workbook is about.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from .csv import harmless

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_STAMP = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")
_PACKED = (1980, 1, 1, 0, 0, 0)
"""The day zip archives count from: the only one that says nothing."""


def workbook_bytes(book: Workbook, date: dt.date) -> bytes:
    """The workbook as a file's bytes; created and changed on ``date``."""
    written = io.BytesIO()
    book.save(written)
    stamp = f"{date.isoformat()}T00:00:00Z".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            content = source.read(part)
            if part.filename == "docProps/core.xml":
                content = _STAMP.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            target.writestr(zipfile.ZipInfo(part.filename, _PACKED), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def put(sheet: Worksheet, row: int, column: int, value: str | int) -> Any:
    """Write one cell, a text so that no spreadsheet runs it; answers the cell."""
    text = harmless(value) if isinstance(value, str) else value
    cell = sheet.cell(row, column, text if text != "" else None)
    if isinstance(text, str) and text:
        cell.data_type = "s"
    return cell


def head(sheet: Worksheet, row: int, columns: list[tuple[str, float]]) -> None:
    """A header row, bold, kept in sight and on every printed page, over columns of these widths."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    for at, (name, width) in enumerate(columns, start=1):
        cell: Any = put(sheet, row, at, name)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDDDDD")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.border = Border(bottom=Side(style="medium"))
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.freeze_panes = f"B{row + 1}"
    sheet.print_title_rows = f"{row}:{row}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    footer: Any = sheet.oddFooter
    footer.center.text = "&A, page &P of &N"
