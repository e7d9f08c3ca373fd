"""Every setting, with its default and its meaning. No code below `api` reads this: adapters take plain arguments.

A value is taken from the first of: the command line, the environment (`TUWEN_RETRIEVAL__DEPTH=50`), `tuwen.toml` in the data
directory, the profile's file (`api/profiles/*.toml`), the default written here.
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from importlib import resources
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from rag.answers import Scheme
from rag.errors import BadSetting
from rag.prompts import Examples, Prompts, load_examples, load_prompts
from rag.prompts.examples import OWN

Profile = Literal["embedded", "standard", "cluster"]
RetrieverName = Literal["dense", "lexical", "entries", "pixels"]
FurtherName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderSettings(_Section):
    """What turns text into vectors. Changing it needs `tuwen doctor --rebuild`, which embeds everything again."""

    kind: Literal["onnx", "sentence-transformers", "remote", "hashing"] = "onnx"
    model: str = "multilingual-e5-small"
    query_prefix: str = ""
    passage_prefix: str = ""
    base_url: str = ""
    api_key: str = ""
    dimension: int = 0
    """Only for `remote`: what the server's vectors have."""
    threads: int = 0
    """Threads of one forward pass; 0: one for a question, one per core for passages."""
    centre_languages: bool = True
    """Take each language's mean out of the vectors, so that a question finds passages of the other language."""
    query_cache: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """Questions whose vectors are remembered; 0 remembers none."""
    batch_queries: bool = False
    """Encode questions that come at the same time in one forward. For encoders that gain by it: the bundled one answers no more questions a second
    (docs/retrieval.md), and with int8 weights (`onnx`) a question's vector then depends a little on the others of its forward."""


class PictureSettings(_Section):
    """What pictures are found by."""

    describer: Literal["bundled", "none"] = "bundled"
    labels: bool = True
    ocr: bool = True
    image_encoder: Literal["none", "open_clip"] = "none"
    image_model: str = ""
    """open_clip: an architecture, `hf-hub:…` or `local-dir:…`."""
    image_weights: str = ""
    """open_clip: a pretrained tag or a checkpoint file, where `image_model` is an architecture."""


class VisionSettings(_Section):
    """A server with OpenAI's interface whose vision model writes what is on each picture, while it is ingested. The text is an entry
    of the picture beside its labels."""

    model: str = ""
    """The name that the server knows; empty: no descriptions. Another model has every file with pictures read again."""
    base_url: str = "http://127.0.0.1:8000/v1"
    api_key: str = ""
    languages: Annotated[tuple[Literal["en", "zh"], ...], Field(min_length=1)] = ("en",)
    """Of the descriptions; one for each."""
    pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 1_000_000
    """Pixels of a picture that are sent; a larger one is made smaller."""
    timeout_seconds: float = 120.0
    retries: Annotated[int, Field(ge=0, le=10)] = 2


class IndexSettings(_Section):
    """Chroma: embedded in the data directory when `host` is empty, otherwise a server."""

    host: str = ""
    port: int = 8000
    ssl: bool = False
    apart: bool = False
    """The embedded Chroma in a process of its own, so that looking for neighbours holds no other question up (docs/retrieval.md)."""
    vectors: Literal["float32", "int8"] = "float32"
    """How the library keeps its own vectors: `int8` takes a quarter of the room. A library may hold both; `tuwen doctor --rebuild` stores
    all of them as is set here. Chroma keeps single precision in any case."""


class LimitSettings(_Section):
    """Beyond these a file is refused with an error that names the limit."""

    bytes: int = 500_000_000
    pages: int = 5_000
    pixels: int = 100_000_000
    seconds: float = 600.0
    unpacked_bytes: int = 2_000_000_000
    unpacked_ratio: float = 200.0
    rows: int = 1_000_000
    archive_entries: int = 10_000
    archive_depth: int = 3


class SourceSettings(_Section):
    """What `tuwen ingest` may read beside files of this machine."""

    schemes: tuple[str, ...] = ("s3", "gs", "abfs")
    """Object stores and other file systems that fsspec knows, by the scheme of their addresses."""
    http: bool = False
    """Whether addresses of the web are read: files, and lists of them."""
    private_addresses: bool = False
    """Whether those may be on this machine or on networks that only it can reach."""


class IngestSettings(_Section):
    strategy: Literal[
        "headings",
        "fixed",
        "recursive",
        "sentence-window",
        "semantic",
        "parent-child",
        "table-rows",
        "page",
        "langchain",
        "llama-index",
    ] = "headings"
    """How text is cut into chunks: docs/chunking.md compares them."""
    chunk_tokens: Annotated[int, Field(ge=32, le=8192)] = 300
    """Longest chunk, its context included, in the encoder's tokens."""
    chunk_overlap: Annotated[int, Field(ge=0)] = 0
    """Tokens that a chunk repeats of the one before; not for sentence-window, semantic and page."""
    parent_tokens: Annotated[int, Field(ge=32)] = 400
    """parent-child and table-rows: the most that is read together where a chunk of it is found."""
    window_sentences: Annotated[int, Field(ge=1, le=50)] = 3
    """sentence-window: sentences read on either side of the one that is found."""
    table_rows: Annotated[int, Field(ge=1)] = 5
    """table-rows: rows of a table to a chunk, at most."""
    semantic_percentile: Annotated[float, Field(gt=0, lt=100)] = 80.0
    """semantic: share of the gaps between sentences that end no chunk, in percent."""
    workers: Annotated[int, Field(ge=1, le=512)] = 1
    """Parse processes of an ingest, on a Ray cluster parse actors."""
    worker_memory: int = 4_000_000_000
    """Resident bytes beyond which a parse process is stopped."""
    ray: str = ""
    """Where `tuwen ingest` parses and embeds on a Ray cluster: `local`, `auto`, `host:port` or `ray://host:port`; empty: on this
    machine, without Ray. `workers` parse then, each on a processor."""
    ray_encoders: Annotated[int, Field(ge=1, le=1000)] = 1
    """Actors that embed, on a Ray cluster."""
    ray_encoder_cpus: Annotated[float, Field(gt=0)] = 1.0
    """Processors for each of them."""
    ray_encoder_gpus: Annotated[float, Field(ge=0)] = 0.0
    """GPUs for each of them."""
    limits: LimitSettings = LimitSettings()
    sources: SourceSettings = SourceSettings()
    passwords: tuple[SecretStr, ...] = ()
    """Tried in turn on locked PDF, Office and ZIP files; never logged or stored."""


class RerankGate(_Section):
    """How far a reranker is let through for questions in one language: `tuwen eval calibrate` measures and writes it."""

    weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    """0 keeps the coarse order."""
    depth: Annotated[int, Field(ge=0)] = 30
    reranker: str = ""
    """What was measured, as `reranker reranker_model`: of another one this says nothing, and is not used. Empty is any."""


LATE_GATES = {
    "en": RerankGate(weight=0.0, depth=0, reranker="late"),
    "zh": RerankGate(weight=1.0, depth=10, reranker="late"),
    "foreign": RerankGate(weight=1.0, depth=10, reranker="late"),
}
"""Measured on public sets (docs/reranking.md): questions about passages in the other language gain most, Chinese ones about Chinese perhaps,
English ones about English not surely; so these do not wait for it either."""


STEPS = ("fuse", "fold", "rerank", "align", "diversify", "noise", "hits", "pack")
"""What a retriever cannot be called, since steps are told by these names."""


class RetrievalSettings(_Section):
    scheme: Scheme = "hybrid"
    """How is searched where a request does not say: docs/reranking.md compares them."""
    aligned_depth: Annotated[int, Field(ge=1, le=5000)] = 100
    """Candidates that the scheme `aligned` scores token by token; a smaller collection is scored whole."""
    retrievers: tuple[RetrieverName, ...] = ("dense", "lexical", "entries", "pixels")
    further: dict[FurtherName, str] = {}
    """Retrievers of one's own, by their names: `package.module:make` is called with the library (docs/retrieval.md)."""
    weights: dict[FurtherName, Annotated[float, Field(ge=0)]] = {}
    """Of retrievers in the fusion; 1 where nothing is said, 0 leaves one out."""
    depth: Annotated[int, Field(ge=1, le=2000)] = 100
    """Chunks that each retriever recalls."""
    depths: dict[FurtherName, Annotated[int, Field(ge=1, le=2000)]] = {}
    """Other depths, by retriever."""
    fusion: Literal["convex", "rrf"] = "convex"
    """How rankings become one: by normalised scores, or by ranks."""
    rrf_k: Annotated[float, Field(gt=0)] = 60.0
    rocchio: Annotated[float, Field(ge=0, le=5)] = 0.3
    """How far the question moves toward the passages that were found first, before candidates are scored again; with `convex` only."""
    regularise: Annotated[float, Field(ge=0, le=1)] = 0.3
    """How much of a passage's score comes from the passages most like it."""
    variants: tuple[Literal["paraphrases", "parts", "passage"], ...] = ()
    """Further ways in which a question is searched for, written by the generator: in other words, by its parts (multi-hop), by a passage
    that could answer it (HyDE). Each costs a generation before the search."""
    variant_count: Annotated[int, Field(ge=1, le=10)] = 3
    rewrite: bool = True
    """Whether the generator makes a follow-up question stand alone; a rule of thumb does, where it may not or cannot."""
    spelling: bool = True
    """Whether a word that no document has is read as its nearest spelling."""
    exclusions: bool = True
    """Whether a question that says what it does not ask for ("…, which is not a department") is searched for without that, too."""
    fold: Literal["off", "same", "near"] = "near"
    """Which hits are left out as repeats: none, the same text of one document, or also near-duplicates in other documents."""
    least_score: Annotated[float, Field(ge=0)] = 0.0
    """Hits with a lower score are left out. For a reranker that gives probabilities; 0 leaves none out."""
    diversity: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How much a hit loses by resembling a better one."""
    reranker: Literal["none", "auto", "late", "cross-encoder", "onnx", "llm", "remote"] = "none"
    """What ranks the first hits anew: `late` compares the text encoder's tokens, `auto` does so where it gives them and question and passages
    are not in one language, `onnx` is a cross-encoder without torch, `llm` asks the generator."""
    reranker_model: str = ""
    """A directory; for `remote` the name that the server knows."""
    reranker_url: str = ""
    reranker_api_key: str = ""
    reranker_shape: Literal["cohere", "jina", "tei", "vllm"] = "cohere"
    """Of the server's interface."""
    reranker_platt: tuple[float, float] | None = None
    """Slope and intercept that make the model's score a probability, as fitted by `tuwen eval calibrate`; None takes the model's own
    convention."""
    rerank_depth: Annotated[int, Field(ge=1)] = 30
    rerank_seconds: Annotated[float, Field(gt=0)] = 10.0
    """`llm` stops after so long, and leaves what it did not see in the coarse order."""
    rerank_gate: Literal["rerank", "leave"] = "rerank"
    """`leave` keeps the coarse order: for documents where reranking was measured to lose."""
    rerank_weight: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Of the reranker's scores against the coarse ones."""
    rerank_by_language: dict[str, RerankGate] = LATE_GATES
    """In place of weight and depth, by the language of the question, and `foreign` for one whose first passages are mostly in another."""

    @model_validator(mode="after")
    def _known_retrievers(self) -> RetrievalSettings:
        own = get_args(RetrieverName)
        if taken := sorted(set(self.further) & {*own, *STEPS}):
            raise ValueError(f"further has {', '.join(taken)}, which is the name of a step that is there already")
        known = {*own, *self.further}
        if unknown := sorted({*self.weights, *self.depths} - known):
            raise ValueError(f"no retriever is called {', '.join(unknown)}: there are {', '.join(sorted(known))}")
        return self


class GeneratorSettings(_Section):
    kind: Literal["llamacpp", "extractive", "openai", "langchain"] = "llamacpp"
    model: str = ""
    """llamacpp: its name in the manifest. openai: the name that the server knows, or that of a LoRA which it was started with."""
    chat_class: str = "langchain_openai:ChatOpenAI"
    """langchain: the chat model, `package.module:Class`; made with `model`, and with `api_key` and `base_url` where they are set."""
    base_url: str = "http://127.0.0.1:8000/v1"
    servers: tuple[str, ...] = ()
    """openai: further addresses of the same model. The least loaded is asked, another when it fails."""
    api_key: str = ""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """openai: further tries before the first word, a server that has no room or does not answer at once being asked again."""
    threads: int = 0
    context_tokens: Annotated[int, Field(ge=512)] = 4096
    passage_tokens: Annotated[int, Field(ge=100)] = 1200
    """Tokens of passages in a prompt."""
    passages: Annotated[int, Field(ge=1, le=50)] = 5
    merge: bool = False
    """Whether neighbouring hits are read as one passage."""
    compress: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a passage's text that is read: its sentences nearest to the question."""
    order: Literal["rank", "ends", "document"] = "rank"
    """In which order passages are read: by rank, the best ones first and last, or as they stand in their documents, where questions that
    find the same passages share a server's prefix cache."""
    images: Annotated[int, Field(ge=0, le=16)] = 0
    """openai, with a vision model: pictures of the passages (figures, the part of the page where a table stands) that go along; 0: none."""
    image_pixels: Annotated[int, Field(ge=10_000, le=50_000_000)] = 1_500_000
    """Pixels that they have together; larger ones are made smaller. They are not counted in `context_tokens`."""
    max_tokens: Annotated[int, Field(ge=1)] = 300
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    """Only the k likeliest tokens; 0 leaves all."""
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] = 1.0
    """Above 1, what was said or read already becomes less likely. Answers repeat numbers and names of the passages: keep it near 1."""
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    stop: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    """Texts that end the answer."""
    timeout_seconds: float = 120.0


class AnswerSettings(_Section):
    unsupported: Literal["flag", "cut"] = "flag"
    """Claims of an answer that no passage carries: named in `unsupported`, or cut."""
    verifier: Literal["lexical", "reranker", "generator"] = "lexical"
    """What decides, after numbers, names and negations, whether a passage carries a claim: its words, the reranker, or the generator's
    yes or no, which costs a short request for each claim."""
    verifier_threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    policy: str = ""
    """A content policy of one's own, `package.module:object` (rag/protocols.py, ContentPolicy)."""
    abstain: bool = True
    abstain_below: float | None = None
    """Evidence score below which the answer is "not in these documents"; None takes the fitted default."""
    tell_date: bool = True
    """Whether the generator is told today's date where the question has words like "last year" or 今年."""
    self_check: bool = False
    """Whether the generator is asked, before it answers, if the passages hold the answer (llamacpp, openai): what it says counts as
    evidence beside that of the search. Costs one short request, which reads the passages for the answer, too."""
    self_check_weights: dict[str, tuple[float, float, float]] = {}
    """By language: of the search's evidence, of the generator's yes, and the bias, as fitted by `tuwen eval calibrate`. There are built-in ones
    for English; in a language without any the generator is not asked."""
    examples: str = ""
    """Answered examples for the prompt: `built-in`, or a file (TOML, JSON Lines); a relative path starts in the data directory."""
    example_count: Annotated[int, Field(ge=1, le=10)] = 2
    """How many of them stand in a prompt, at most."""
    example_choice: Literal["nearest", "fixed"] = "nearest"
    """Those nearest to the question, or always the first of its language, which a server's prefix cache shares between questions."""
    example_tokens: Annotated[int, Field(ge=50, le=8000)] = 400
    """Tokens that they have together, at most; beside those of `generator.passage_tokens`."""
    prompts: str = ""
    """A TOML file whose texts replace built-in ones (rag/prompts/built_in.toml has their names); a relative path starts in the data
    directory."""
    cache: Annotated[int, Field(ge=0, le=100_000)] = 256
    """Answers kept in memory, for the same question over unchanged documents; 0 answers every question anew."""
    cache_conversations: bool = False
    """Whether that holds for questions of conversations, too."""
    summary: Literal["questions", "generator"] = "questions"
    """What stands for the part of a conversation that is too long to go along: its questions, which costs nothing, or what the generator
    writes of it, which costs a short generation for each further question."""


class HttpSettings(_Section):
    """What `tuwen serve` listens on."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    max_upload_bytes: int = 500_000_000
    answers_at_once: Annotated[int, Field(ge=1)] = 16
    """Answers that are written at the same time; further questions wait."""
    answers_waiting: Annotated[int, Field(ge=0)] = 64
    """Questions that may wait; to the next ones the answer is 429, with Retry-After."""


class ModelSettings(_Section):
    """Where weights are kept and fetched from."""

    dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("tuwen")) / "models")
    hub: str = "https://huggingface.co"
    mirror: str = "https://modelscope.cn"


class Settings(_Section):
    """All settings, complete and frozen. Made by `load`."""

    data: Path = Path(".tuwen")
    profile: Profile = "embedded"
    encoder: EncoderSettings = EncoderSettings()
    pictures: PictureSettings = PictureSettings()
    vision: VisionSettings = VisionSettings()
    index: IndexSettings = IndexSettings()
    ingest: IngestSettings = IngestSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    generator: GeneratorSettings = GeneratorSettings()
    answer: AnswerSettings = AnswerSettings()
    http: HttpSettings = HttpSettings()
    models: ModelSettings = Field(default_factory=ModelSettings)


class _Environment(BaseSettings, Settings):
    """Only names the variables: the values are merged with the files below, then validated once."""

    model_config = SettingsConfigDict(env_prefix="TUWEN_", env_nested_delimiter="__", extra="ignore")


def load(data: Path | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    """The settings for a data directory. `overrides` is nested like the settings. Raises BadSetting."""
    data = data or Path(os.environ.get("TUWEN_DATA") or ".tuwen")
    given = _merge(_read_environment(), overrides or {})
    own = _read_toml(data / "tuwen.toml")
    name = str(given.get("profile") or own.get("profile") or "embedded")
    values = _merge(_merge(_read_profile(name), own), given)
    values.update(data=data, profile=name)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # A place in a list, or `[key]`, is nothing that a file or a variable could be corrected at.
        parts = [str(part) for part in takewhile(lambda part: isinstance(part, str), first["loc"]) if part != "[key]"]
        name, given = ".".join(parts), first.get("input")
        shown = "" if isinstance(given, dict) else f" (given: {given!r})"
        wrong = f"The setting `{name}` is not right: {first['msg'].removeprefix('Value error, ')}{shown}."
        if first["type"] == "extra_forbidden":
            near = get_close_matches(name, _names(Settings), 1)
            wrong = f"There is no setting `{name}`{f': perhaps it is `{near[0]}`' if near else ''}."
        raise BadSetting(
            wrong,
            f"Correct it in {data / 'tuwen.toml'}, or the environment variable TUWEN_{'__'.join(parts).upper()}.",
        ) from error
    prompts(settings)
    examples(settings)
    return settings


def _names(model: type[BaseModel], before: str = "") -> list[str]:
    """Of all settings, as `section.name`."""
    found: list[str] = []
    for name, item in model.model_fields.items():
        inner = item.annotation
        section = isinstance(inner, type) and issubclass(inner, BaseModel)
        found += _names(inner, f"{before}{name}.") if section else [f"{before}{name}"]  # type: ignore[arg-type]
    return found


def prompts(settings: Settings) -> Prompts:
    """The texts that generators are asked with. Raises BadSetting."""
    chosen = settings.answer.prompts
    return load_prompts(settings.data / chosen if chosen else None)


def examples(settings: Settings) -> Examples:
    """The answered examples for prompts. Raises BadSetting."""
    chosen = settings.answer.examples
    return load_examples(chosen if chosen in ("", OWN) else settings.data / chosen)


def public(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, without secrets: for reports and fingerprints."""
    values: dict[str, Any] = settings.model_dump(mode="json")
    # A file may change under its name: what counts is what it says.
    values["answer"]["prompts"] = prompts(settings).version
    values["answer"]["examples"] = examples(settings).version
    for section in values.values():
        if isinstance(section, dict):
            for name in section:
                if name.endswith("api_key") and section[name]:
                    section[name] = "***"
    return values


def _read_environment() -> dict[str, Any]:
    source = EnvSettingsSource(_Environment)
    try:
        return dict(source())
    except Exception as error:
        raise BadSetting(f"An environment variable TUWEN_… cannot be read: {error}.", "Correct or unset it.") from error


def _read_profile(name: str) -> dict[str, Any]:
    file = resources.files("api").joinpath("profiles", f"{name}.toml")
    if not file.is_file():
        raise BadSetting(f"There is no profile {name!r}.", "Profiles are embedded, standard and cluster.")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadSetting(f"{path} cannot be read: {error}.", "Correct it; it is a TOML file.") from error


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The values of both, those of `above` first; None in it means not given."""
    merged = dict(below)
    for name, value in above.items():
        if isinstance(value, dict):
            under = merged.get(name)
            merged[name] = _merge(under if isinstance(under, dict) else {}, value)
        elif value is not None:
            merged[name] = value
    return merged
