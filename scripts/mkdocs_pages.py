"""Hooks of the documentation site: one API page a module of the product, and links to files outside docs/ as text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = "rehab_pose"
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>(?:\.\./)+[^)]+)\)")


def api_modules() -> dict[str, list[str]]:
    """Return the product's modules by the folder that holds them."""
    found: dict[str, list[str]] = {}
    for path in sorted((REPOSITORY / PACKAGE).rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        if parts[-1] != "__init__":
            found.setdefault(".".join(parts[:-1]), []).append(".".join(parts))
    return found


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the API pages to the navigation."""
    pages = [f"api/{folder}.md" for folder in api_modules()]
    config.nav = [*(config.nav or []), {"API": pages}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add one page a folder of the product, with a section a module."""
    for folder, modules in api_modules().items():
        content = "\n\n".join([f"# {folder}", *(f"::: {module}" for module in modules)])
        files.append(File.generated(config, f"api/{folder}.md", content=content + "\n"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:  # noqa: ANN401  (mkdocs' own type)
    """Replace links that leave docs/ by the path in the repository: the site holds the documents only."""
    folder = Path("docs", page.file.src_uri).parent

    def as_text(match: re.Match[str]) -> str:
        target = match["target"].partition("#")[0]
        parts: list[str] = []
        for part in (folder / target).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        if parts[0] == "docs":
            return match[0]
        path = "/".join(parts)
        text = match["text"].strip("`")
        return f"`{path}`" if text in {path, parts[-1]} else f"{match['text']} (`{path}`)"

    return LINK.sub(as_text, markdown)
