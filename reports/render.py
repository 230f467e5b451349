"""A page as HTML and as Markdown. All text from a run is escaped: names and reasons come from plug-ins."""

import io
import re
from collections.abc import Mapping

import jinja2
from markupsafe import Markup, escape

from reports.figure import Figure
from reports.page import Page
from reports.style import house_style
from reports.table import Cell

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def html(page: Page, pictures: Mapping[str, str]) -> str:
    """One self-contained file: styles and figures (`pictures`: SVG text by name) are inside."""
    # The drawings are ours, and Matplotlib escapes the names in them.
    inside = {figure.name: Markup(inline(pictures[figure.name], figure)) for figure in page.figures}
    return _environment(autoescape=True).get_template("report.html.jinja").render(page=page, pictures=inside)


def markdown(page: Page) -> str:
    """The same with links to the PNG files."""
    environment = _environment(autoescape=False)
    environment.filters |= {"md": escape_markdown, "part": _escape_part, "code": _escape_code}
    return environment.get_template("report.md.jinja").render(page=page)


def svg(figure: Figure) -> str:
    """The figure as the text of an SVG file."""
    stream = io.StringIO()
    with house_style():
        figure.canvas.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def inline(text: str, figure: Figure) -> str:
    """An SVG file's text as an element of a page: ids of its own, a label to be read out, no fixed size."""
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' xmlns(:xlink)?="[^"]*"', "", text).replace("xlink:href", "href")
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{figure.name}-", text)
    tag, rest = text[: text.index(">")], text[text.index(">") :]
    tag = re.sub(r' (width|height)="[^"]*"', "", tag)
    return f'{tag} role="img" aria-label="{escape(figure.title)}"{rest}'


def escape_markdown(value: object) -> str:
    """Text that Markdown shows as it is, in one line: no HTML, no table cells, no emphasis, no links.

    >>> escape_markdown("a|b <script>*x*</script>")
    'a\\\\|b &lt;script&gt;\\\\*x\\\\*&lt;/script&gt;'
    """
    return _escape_part(" ".join(str(value).split()))


def clean(value: object) -> str:
    """Text without the control characters that terminals and exceptions leave in it."""
    return _CONTROL.sub("", str(value))


def _escape_part(value: object) -> str:
    text = clean(value).replace("\n", " ")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*|]|\](?=\())", r"\\\1", text)


def _escape_code(value: object) -> str:
    return clean(value).replace("\n", " ").replace("```", "'''")


def _environment(*, autoescape: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    environment.filters["lines"] = lambda text: clean(text).split("\n")
    environment.tests["cell"] = lambda part: isinstance(part, Cell)
    return environment
