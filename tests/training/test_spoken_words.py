"""Words in the sound files of educational programs or games."""

from pathlib import Path

import pytest

from training import words
from training.words import SHOUTS, klettres, listed, named

TABLE = """
<klettres><language code="de"><alphabet>
  <sound name="Ä" file="de/alpha/ae.ogg" />
</alphabet><syllables>
  <sound name="BÄR"    file="de/syllab/baer.ogg" />
  <sound name="FEHLT" file="de/syllab/fehlt.ogg"/>
</syllables></language></klettres>
"""


def test_letters_stay_capital_and_words_do_not() -> None:
    assert list(listed(TABLE))[:2] == [("Ä", "de/alpha/ae.ogg"), ("bär", "de/syllab/baer.ogg")]


def test_only_what_is_there_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "de/syllab").mkdir(parents=True)
    (tmp_path / "de/sounds.xml").write_text(TABLE, "utf-8")
    (tmp_path / "de/syllab/baer.ogg").touch()
    monkeypatch.setattr(words, "_KLETTRES", tmp_path)
    assert [(r.speaker, r.language, r.text) for r in klettres()] == [("klettres-de", "de", "bär")]


@pytest.mark.parametrize(
    ("stem", "language", "word"),
    [
        ("egypt_oejenbryn", "da", "øjenbryn"),
        ("moustache", "en", "moustache"),
        ("noel_guirlande-lumineuse", "fr", "guirlande lumineuse"),
        ("mijnnaam2", "nl", "mijnnaam"),
    ],
)
def test_files_are_named_by_their_word(stem: str, language: str, word: str) -> None:
    assert named(stem, language) == word


def test_a_shout_spells_its_file_name() -> None:
    for name, text in SHOUTS.items():
        assert "".join(text.split()).replace("'", "").replace("-", "").lower() == name.replace("-", "").lower()


def test_held_out_voices_are_not_listed() -> None:
    assert not {"fi", "el"} & set(words._WORDED)
