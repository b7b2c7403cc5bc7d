"""Pages as PDF files, by WeasyPrint (the extra `reports`)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

from rehab_pose.optional_packages import optional_package

if TYPE_CHECKING:
    from typing import Any

__all__ = ["pdf_of_page"]


def pdf_of_page(page: str) -> bytes:
    """Return a PDF of a page that loads nothing else.

    Raises:
        MissingDependencyError: WeasyPrint is not installed.
    """
    weasyprint = optional_package("weasyprint", "reports")  # takes a second to load
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of style for screens, which it leaves out
    data: bytes = weasyprint.HTML(string=page, url_fetcher=_refuse).write_pdf()
    return data


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:  # noqa: ANN401  (WeasyPrint's arguments)
    msg = f"a page loads nothing, got {url}"
    raise ValueError(msg)
