"""The frame of every page: title, style for screen, phone and paper, and the note that it is no diagnosis."""

from __future__ import annotations

from html import escape

from rehab_pose.session.reports.skeleton_picture import LEFT_COLOUR, RIGHT_COLOUR

__all__ = ["ACCENT", "INK", "MUTED", "PALE", "QUALITY_COLOURS", "html_page", "quality_colour"]

INK, MUTED, PALE, ACCENT = "#1f2d38", "#5a6772", "#dfe5ea", "#2f7294"
QUALITY_COLOURS = ((0.75, "#2f8a57"), (0.5, "#b8860b"), (-1.0, "#b3412b"))
"""Lower limit of the quality and colour of its bar; repetitions in the last colour should be checked by a therapist."""
STYLE = f"""
@page {{ size: A4; margin: 13mm 14mm; }}
* {{ box-sizing: border-box; }}
body {{ font: 15px/1.4 "Liberation Sans", Arial, Helvetica, sans-serif; color: {INK}; background: #fff;
  max-width: 900px; margin: 0 auto; padding: 16px; }}
h1 {{ font-size: 1.5em; margin: 0; }}
h2 {{ font-size: 1.15em; margin: 1.1em 0 .35em; }}
h3 {{ font-size: 1em; margin: 0 0 .2em; }}
p {{ margin: .3em 0; }}
ul {{ margin: .3em 0; padding-left: 1.2em; }}
.small {{ color: {MUTED}; font-size: .85em; }}
.facts {{ display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; margin: .8em 0; }}
.facts div {{ background: #f3f6f8; border-radius: 6px; padding: 7px 10px; }}
.facts b {{ display: block; font-size: 1.12em; }}
.facts span {{ color: {MUTED}; font-size: .85em; }}
.pictures {{ display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }}
.pictures figure {{ margin: 0; border: 1px solid {PALE}; border-radius: 6px; padding: 8px; }}
.pictures svg {{ width: 100%; height: auto; max-height: 230px; display: block; }}
.pictures figcaption {{ font-size: .9em; }}
.left {{ color: {LEFT_COLOUR}; font-weight: 600; }} .right {{ color: {RIGHT_COLOUR}; font-weight: 600; }}
table {{ border-collapse: collapse; width: 100%; font-size: .93em; }}
th, td {{ text-align: left; padding: 3px 8px 3px 0; border-bottom: 1px solid {PALE}; vertical-align: middle; }}
th {{ color: {MUTED}; font-weight: 600; font-size: .88em; }}
td svg {{ width: 96px; height: 14px; vertical-align: middle; margin-right: 5px; }}
.nowrap {{ white-space: nowrap; }}
tr.poor td {{ color: #69757f; background: #eef0f2; }}
tr.poor svg, figure.poor svg {{ opacity: .45; }}
.charts {{ display: grid; grid-template-columns: repeat(3, 1fr); gap: 10px; margin: .5em 0; }}
.charts svg {{ width: 100%; height: auto; display: block; }}
@media (max-width: 600px) {{
  body {{ padding: 12px; font-size: 16px; }}
  .facts {{ grid-template-columns: 1fr 1fr; }}
  .pictures, .charts {{ grid-template-columns: 1fr; }}
  .cards thead {{ position: absolute; left: -9999px; }}
  .cards tr {{ display: grid; grid-template-columns: 1fr 1fr; column-gap: 18px; border: 1px solid {PALE};
    border-radius: 6px; margin: 0 0 8px; padding: 4px 10px; }}
  .cards tr.poor {{ background: #eef0f2; }}
  .cards td {{ display: flex; justify-content: space-between; align-items: center; border: 0; padding: 3px 0;
    gap: 8px; }}
  .cards td:first-child, .cards td.wide {{ grid-column: 1 / -1; }}
  .cards td:first-child {{ font-weight: 600; justify-content: flex-start; }}
  .cards td::before {{ content: attr(data-label); color: {MUTED}; }}
}}
@media print {{
  body {{ font-size: 9.6pt; padding: 0; max-width: none; }}
  .facts, .pictures {{ gap: 6px; }} .facts {{ margin: .5em 0; }}
  .pictures svg {{ max-height: 35mm; }}
  .facts div {{ padding: 4px 8px; }} .pictures figure {{ padding: 4px 8px; }}
  td {{ padding-top: 1.5px; padding-bottom: 1.5px; }}
  h2 {{ margin: .6em 0 .2em; }} p, ul {{ margin: .2em 0; }}
  tr, figure {{ break-inside: avoid; }}
}}
"""


def html_page(title: str, body: str) -> str:
    """Return a page that loads nothing else.

    Args:
        title: Plain text.
        body: HTML below it, with its heading.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}"
        '<p class="small">This page describes movements as a camera saw them. It supports a therapist; it is no '
        "diagnosis, and rehab_pose is not a medical device.</p></main></body></html>\n"
    )


def quality_colour(quality: float) -> str:
    """Return the colour of a quality, 0 to 1."""
    return next(colour for minimum, colour in QUALITY_COLOURS if quality >= minimum)
