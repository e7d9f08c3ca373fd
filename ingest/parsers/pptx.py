"""PowerPoint presentations: one page per slide, with boxes (python-pptx)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.containers import PPTX, open_zip
from ingest.parsers.ooxml import AGAIN
from ingest.parsers.pptx_shapes import POINT, SlideReader
from ingest.protocols import ParsedPage, Source
from rag.documents import Page
from rag.errors import CorruptFile, EmptyFile, LimitExceeded

_NO_TITLE = re.compile(
    r"^(?:powerpoint[ -]\S+|slide \d+|presentation\d*|演示文稿\d*|幻灯片 ?\d+|prezentare.*|untitled.*)$", re.IGNORECASE
)
_FIELDS = ("author", "subject", "keywords", "category")


class PptxParser:
    """PPTX, PPSX, PPTM and their templates."""

    media_types = frozenset({PPTX})
    version = "pptx-2"

    def parse(self, source: Source) -> Iterator[ParsedPage]:
        if source.path.stat().st_size > source.limits.bytes:
            raise LimitExceeded(
                f"{source.name} is larger than the {source.limits.bytes / 1e6:,.1f} MB allowed.",
                "Split it, or raise `ingest.limits.bytes`.",
            )
        open_zip(source.path, source.name, source.limits).close()
        presentation = _open(source)
        try:
            slides = list(presentation.slides)
        except (KeyError, ValueError, AttributeError, TypeError) as error:
            raise CorruptFile(f"{source.name} names slides that it does not hold ({error}).", AGAIN) from error
        if len(slides) > source.limits.pages:
            raise LimitExceeded(
                f"{source.name} has {len(slides):,} slides, more than the {source.limits.pages:,} allowed.",
                "Split it, or raise `ingest.limits.pages`.",
            )
        width, height = (
            (presentation.slide_width or 9_144_000) / POINT,
            (presentation.slide_height or 6_858_000) / POINT,
        )
        title, metadata = _properties(presentation)
        found = False
        for number, slide in enumerate(slides, start=1):
            page = Page(number, width, height)
            reader = SlideReader(slide, page, source.limits)
            try:
                elements = tuple(reader.read())
            except (KeyError, ValueError, AttributeError, TypeError, RecursionError) as error:
                # python-pptx raises what the missing part or attribute happens to cause.
                raise CorruptFile(
                    f"{source.name} is damaged on slide {number} ({type(error).__name__}: {error}).", AGAIN
                ) from error
            found = found or bool(elements)
            warnings = tuple(f"Slide {number}: {count} × {what}." for what, count in reader.left_out.items())
            if number == 1:
                title = title or next((element.text for element in elements if element.kind == "heading"), "")
                yield ParsedPage(
                    page, elements, title=title, metadata=metadata, page_count=len(slides), warnings=warnings
                )
            else:
                yield ParsedPage(page, elements, page_count=len(slides), warnings=warnings)
        if not found:
            raise EmptyFile(f"{source.name} holds no text and no pictures.", "Check that the right file was saved.")


def _open(source: Source) -> Any:
    from pptx.opc.constants import CONTENT_TYPE as CT
    from pptx.opc.package import PartFactory
    from pptx.package import Package
    from pptx.parts.presentation import PresentationPart

    # The library opens presentations and refuses slide shows and templates, which are the same part under another type.
    for kind in (
        CT.PML_SLIDESHOW_MAIN,
        CT.PML_TEMPLATE_MAIN,
        "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml",
    ):
        PartFactory.part_type_for.setdefault(kind, PresentationPart)
    try:
        return Package.open(str(source.path)).presentation_part.presentation
    except Exception as error:  # zlib, lxml and python-pptx have no common parent for a damaged package
        raise CorruptFile(
            f"{source.name} is a damaged presentation ({type(error).__name__}: {error}).", AGAIN
        ) from error


def _properties(presentation: Any) -> tuple[str, dict[str, str]]:
    try:
        properties = presentation.core_properties
        title = " ".join((properties.title or "").split())
        metadata = {
            name: value[:1_000] for name in _FIELDS if (value := " ".join((getattr(properties, name) or "").split()))
        }
        for name in ("created", "modified"):
            if (when := getattr(properties, name)) is not None:
                metadata[name] = when.isoformat()
    except Exception:  # broken properties are no reason to lose the slides
        return "", {}
    return ("" if _NO_TITLE.match(title) else title), metadata
