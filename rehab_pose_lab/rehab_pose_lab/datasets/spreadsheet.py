"""Read one small table from an .xlsx file, a zip archive of XML files of which two are needed.

Only the text of cells is read: no formulas, macros or links, unlike with a library for spreadsheets.
"""

from __future__ import annotations

import re
import zipfile
from itertools import islice
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rehab_pose.array_file import ZIP_ERRORS
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_first_sheet"]

MAX_BYTES = 4_000_000
"""Largest uncompressed part that is read [bytes]; protects from archives that expand without limit."""
MAX_COLUMNS = 16_384
"""Number of columns of a sheet, XFD the last one."""
MAX_ROWS = 100_000
"""Largest number of rows that are read."""
SHARED_STRINGS, FIRST_SHEET = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"


def read_first_sheet(path: Path) -> list[list[str]]:
    """Return the rows of a workbook's first sheet as text; an empty cell is an empty string.

    Raises:
        RecordingError: The file is not a workbook, is damaged, or is too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            words = _shared_strings(_part(archive, SHARED_STRINGS)) if SHARED_STRINGS in names else []
            sheet = _part(archive, FIRST_SHEET)
        rows = list(islice(sheet.iterfind(".//{*}row"), MAX_ROWS))
        return [_row(row, words) for row in rows]
    except (*ZIP_ERRORS, ET.ParseError, LookupError) as error:
        msg = f"{path}: expected an .xlsx workbook with one sheet, could not read it: {error}; download it again"
        raise RecordingError(msg) from error


def _part(archive: zipfile.ZipFile, name: str) -> ET.Element:
    """Return one XML part's root.

    Raises:
        ValueError: It is too large, or declares entities, which spreadsheets do not use and which can expand greatly.
    """
    if archive.getinfo(name).file_size > MAX_BYTES:
        msg = f"{name} unpacks to {archive.getinfo(name).file_size} bytes, at most {MAX_BYTES} are read"
        raise ValueError(msg)
    content = archive.read(name)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        msg = f"{name} declares entities"
        raise ValueError(msg)
    return ET.fromstring(content)  # noqa: S314  (its size is bounded and entities are refused)


def _shared_strings(root: ET.Element) -> list[str]:
    return ["".join(text.text or "" for text in item.iterfind(".//{*}t")) for item in root.iterfind(".//{*}si")]


def _row(row: ET.Element, words: list[str]) -> list[str]:
    cells: dict[int, str] = {}
    for cell in row.iterfind(".//{*}c"):
        value = cell.find("{*}v")
        text = "".join(part.text or "" for part in cell.iterfind(".//{*}t"))
        if value is not None and value.text is not None:
            text = words[int(value.text)] if cell.get("t") == "s" else value.text
        cells[_column(cell.get("r", ""), len(cells))] = text.strip()
    return [cells.get(column, "") for column in range(max(cells, default=-1) + 1)]


def _column(reference: str, otherwise: int) -> int:
    """Return the column number of a reference such as B2; `otherwise` where the cell has no reference."""
    letters = re.match(r"[A-Z]+", reference)
    if letters is None:
        return otherwise
    number = 0
    for letter in letters.group():
        number = 26 * number + ord(letter) - ord("A") + 1
    if number > MAX_COLUMNS:
        msg = f"a cell in column {letters.group()}, a sheet has {MAX_COLUMNS} columns"
        raise ValueError(msg)
    return number - 1
