from pathlib import Path

import pytest

from api.settings import load, public
from rag.errors import BadSetting


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("TUWEN_")]:
        monkeypatch.delenv(name)


def test_defaults_are_the_embedded_profile(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.profile == "embedded"
    assert settings.generator.model == "qwen2.5-coder-1.5b-instruct-q4_k_m"
    assert settings.data == tmp_path


@pytest.mark.parametrize("profile", ["embedded", "standard", "cluster"])
def test_every_profile_is_readable(tmp_path: Path, profile: str) -> None:
    assert load(tmp_path, {"profile": profile}).profile == profile


def test_who_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tuwen.toml").write_text("[generator]\nkind = 'extractive'\npassages = 3\n[retrieval]\ndepth = 7\n")
    monkeypatch.setenv("TUWEN_GENERATOR__PASSAGES", "4")
    monkeypatch.setenv("TUWEN_RETRIEVAL__DEPTH", "8")
    settings = load(tmp_path, {"retrieval": {"depth": 9}})
    assert settings.generator.kind == "extractive"
    assert settings.generator.passages == 4
    assert settings.retrieval.depth == 9
    assert settings.generator.model == "qwen2.5-coder-1.5b-instruct-q4_k_m"


def test_what_is_not_given_changes_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, {"http": {"host": None, "port": 0}}).http.host == "127.0.0.1"


def test_a_profile_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "tuwen.toml").write_text("profile = 'standard'\n")
    assert load(tmp_path).encoder.kind == "sentence-transformers"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[retrieval]\ndepth = 0\n", "retrieval.depth"),
        ("[retrieval]\ndept = 5\n", "There is no setting `retrieval.dept`: perhaps it is `retrieval.depth`"),
        ("[retreival]\n", "There is no setting `retreival`"),
        ("[retrieval.weights]\nsparse = 2\n", "no retriever is called sparse: there are dense"),
        ("[retrieval.further]\nfuse = 'a:b'\n", "further has fuse, which is the name of a step"),
        ('[retrieval]\nretrievers = ["dense", "words"]\n', "`retrieval.retrievers` is not right"),
        ("profile = 'lavish'\n", "lavish"),
        ("[retrieval\n", "tuwen.toml"),
        ("[generator]\nkind = 'oracle'\n", "generator.kind"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "tuwen.toml").write_text(text)
    with pytest.raises(BadSetting) as raised:
        load(tmp_path)
    assert named in str(raised.value)
    assert raised.value.remedy


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    shown = public(load(tmp_path, {"generator": {"api_key": "sk-secret"}}))
    assert "sk-secret" not in str(shown)
    assert shown["generator"]["api_key"] == "***"
