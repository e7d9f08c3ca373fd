"""What reads files: parsers, recognition, description, and the process they work in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from api.settings import Settings, prompts
from api.wiring.encoders import Reuse
from ingest.protocols import Limits, Parser
from ingest.worker import ParseWorker, Toolbox
from rag.protocols import ImageDescriber, Ocr

RENDERED = frozenset(
    {"application/pdf", "image/png", "image/jpeg", "image/webp", "image/tiff", "image/bmp", "image/gif"}
)
"""Media types whose pages can be shown as pictures."""

LABEL_MODEL = "efficientnet-lite2"


def ocr(settings: Settings, threads: int = 1) -> Ocr | None:
    if not settings.pictures.ocr:
        return None
    from rag.encoders.ocr import RapidOcr

    return RapidOcr(threads=threads, max_pixels=settings.ingest.limits.pixels)


def describer(settings: Settings, reads: Ocr | None = None) -> ImageDescriber | None:
    if settings.pictures.describer == "none":
        return None
    from rag.encoders.describe import BundledDescriber
    from rag.encoders.labels import LabelClassifier
    from rag.weights.pull import locate

    labels = None
    if settings.pictures.labels:
        weights = locate(LABEL_MODEL, settings.models.dir)
        labels = LabelClassifier(weights, settings.models.dir / "built", threads=1)
    return BundledDescriber(reads or ocr(settings), labels)


def vision(settings: Settings) -> ImageDescriber | None:
    """The vision model that describes pictures, where one is set."""
    chosen = settings.vision
    if not chosen.model:
        return None
    from rag.encoders.describe_by_model import ModelDescriber
    from rag.generators.openai import OpenAIGenerator
    from rag.generators.pool import ServerPool
    from rag.prompts import picture_messages
    from rag.retrieval.illustrate import fitted

    server = OpenAIGenerator(chosen.base_url, chosen.model, api_key=chosen.api_key, timeout_s=chosen.timeout_seconds)
    return ModelDescriber(
        ServerPool([server], retries=chosen.retries),
        partial(picture_messages, prompts=prompts(settings)),
        languages=chosen.languages,
        fit=partial(fitted, pixels=chosen.pixels),
    )


def parsers(reads: Ocr | None, passwords: Sequence[str] = ()) -> dict[str, Parser]:
    from ingest.parsers.archive import ArchiveParser
    from ingest.parsers.converted import ConvertedParser
    from ingest.parsers.csv_table import CsvParser
    from ingest.parsers.docx import DocxParser
    from ingest.parsers.epub import EpubParser
    from ingest.parsers.html import HtmlParser
    from ingest.parsers.image import ImageParser
    from ingest.parsers.json_file import JsonParser
    from ingest.parsers.mailbox import MailboxParser
    from ingest.parsers.markdown import MarkdownParser
    from ingest.parsers.message import MessageParser
    from ingest.parsers.outlook import OutlookParser
    from ingest.parsers.pdf import PdfParser
    from ingest.parsers.pptx import PptxParser
    from ingest.parsers.svg import SvgParser
    from ingest.parsers.text import TextParser
    from ingest.parsers.xlsx import XlsxParser

    made: Sequence[Parser] = (
        PdfParser(ocr=reads, passwords=passwords),
        DocxParser(),
        PptxParser(),
        XlsxParser(),
        EpubParser(),
        CsvParser(),
        JsonParser(),
        MessageParser(),
        OutlookParser(),
        MailboxParser(),
        ArchiveParser(passwords=passwords),
        HtmlParser(),
        MarkdownParser(),
        TextParser(),
        SvgParser(),
        ImageParser(ocr=reads),
        ConvertedParser(),
    )
    return {media_type: parser for parser in made for media_type in parser.media_types}


def toolbox(settings: Settings) -> Toolbox:
    """What a parse worker works with; called inside its process."""
    reads = ocr(settings)
    locked = passwords(settings)
    describers = tuple(one for one in (describer(settings, reads), vision(settings)) if one is not None)
    return Toolbox(parsers(reads, locked), describers, locked)


def passwords(settings: Settings) -> list[str]:
    """What locked files are tried with."""
    return [password.get_secret_value() for password in settings.ingest.passwords]


def toolbox_version(settings: Settings) -> str:
    """What the output of parsing depends on, without opening a model: another version, and every file is parsed again."""
    from rag.encoders.describe import VERSION

    versions = {media_type: parser.version for media_type, parser in sorted(parsers(None).items())}
    return f"{versions} describer={VERSION} {settings.pictures.model_dump_json()}{vision_version(settings)}"


def vision_version(settings: Settings) -> str:
    """What descriptions depend on, and nothing where there are none: not where the server is, nor its key."""
    if not settings.vision.model:
        return ""
    from rag.encoders.describe_by_model import VERSION

    chosen = settings.vision.model_dump_json(include={"model", "languages", "pixels"})
    return f" vision={VERSION} {prompts(settings).digest('describing')} {chosen}"


def parse_worker(settings: Settings, reuse: Reuse | None = None) -> ParseWorker:
    """A process that parses files; with `reuse`, one that remembers what it parsed."""
    build, memory = partial(toolbox, settings), settings.ingest.worker_memory
    if reuse is None:
        return ParseWorker(build, memory=memory)
    from ingest.parse_cache import CachingParseWorker, ParseCache

    key = f"{toolbox_version(settings)} {reuse.documents}"
    return CachingParseWorker(build, ParseCache(reuse.folder / "parsed", key), memory=memory)


def limits(settings: Settings) -> Limits:
    chosen = settings.ingest.limits
    return Limits(**chosen.model_dump())
