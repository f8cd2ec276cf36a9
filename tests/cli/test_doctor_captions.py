"""The caption check of mien doctor."""

from mien.cli.checks import check_captions
from mien.config import Config, parse_config
from mien.errors import TextError
from mien.text import typesetter

ON = parse_config({"captions": {"enabled": True}}, "test")


def test_off_is_good_and_loads_nothing(monkeypatch):
    monkeypatch.delattr(typesetter, "missing_scripts")
    assert check_captions(Config()).verdict == "good"


def test_with_pango_and_fonts_it_is_good():
    assert check_captions(ON).verdict == "good"
    assert check_captions(parse_config({"face": {"status_line": True}}, "test")).verdict == "good"


def test_a_script_without_a_font_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setattr(typesetter, "missing_scripts", lambda: ["Chinese", "Korean"])
    finding = check_captions(ON)
    assert finding.verdict == "poor"
    assert "Chinese, Korean" in finding.detail
    assert "fonts-wqy-microhei" in finding.remedy


def test_without_pango_the_remedy_is_its_package(monkeypatch):
    def absent():
        raise TextError("libpango-1.0.so.0 cannot be loaded")

    monkeypatch.setattr(typesetter, "missing_scripts", absent)
    finding = check_captions(ON)
    assert (finding.verdict, "libpango-1.0" in finding.detail) == ("poor", True)
    assert "libpangocairo-1.0-0" in finding.remedy
