"""A Matplotlib figure → SVG without styles of its own: the page's style sheet colours it, so that it follows light and
dark, and a policy without 'unsafe-inline' lets it be."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
COLOURS = {
    "#1b1f24": "ink", "#5b6570": "faint", "#d5dae0": "line", "#ffffff": "paper",
    "#b3261e": "critical", "#a85d00": "warning", "#2b6cb0": "info",
    "#1a7f5a": "accepted", "#7b4ab5": "overridden", "#7d8893": "ignored",
}  # fmt: skip
"""Colour in a plot → the name under which the style sheet has it, for light and dark. No other colour is drawn."""
OF = {name: colour for colour, name in COLOURS.items()}

_KEPT = {
    "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "opacity",
    "fill-opacity", "stroke-opacity", "text-anchor",
}  # fmt: skip


def inline(figure: Figure, name: str, said: str) -> str:
    """``name`` sets the ids of this plot apart from those of the others; ``said`` is what a screen reader reads."""
    import matplotlib as mpl  # noqa: PLC0415  # only who draws pays for it

    written = BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(written.getvalue())  # noqa: S314  # it was written just now
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith(("metadata", "style")):
                parent.remove(child)
    used = set(re.findall(r"#([\w-]+)", " ".join(value for node in root.iter() for value in node.attrib.values())))
    for node in root.iter():
        _restyle(node)
        if node.get("id") not in used:
            node.attrib.pop("id", None)
        if HREF in node.attrib:
            node.set("href", node.attrib.pop(HREF))
    width, height = (round(float(root.attrib.pop(side).removesuffix("pt"))) for side in ("width", "height"))
    root.attrib.pop("version", None)
    root.attrib |= {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": said}
    ET.register_namespace("", SVG)
    return ET.tostring(root, encoding="unicode")


def _restyle(node: ET.Element) -> None:
    """Inline styles become attributes, colours become classes."""
    style = node.attrib.pop("style", "")
    classes = []
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name in ("fill", "stroke"):
            if value in COLOURS:
                classes.append(f"{name}-{COLOURS[value]}")
            else:
                node.set(name, value)
        elif name in ("font", "font-size"):
            size = re.search(r"([\d.]+)px", value)
            node.set("font-size", size[1] if size else "9")
        elif name in _KEPT:
            node.set(name, value)
    if node.tag == f"{{{SVG}}}text" and not any(one.startswith("fill") for one in classes):
        classes.append("fill-ink")
    if classes:
        node.set("class", " ".join(classes))
