"""A word of each script that kiosks are asked for, to find out which of them the installed fonts have."""

from typing import Final

from mien.text.typesetter import Style, Typesetter

SAMPLES: Final = {
    "Latin": "Größe, façade, Việt Nam",
    "Cyrillic": "Доброе утро",
    "Greek": "Καλημέρα",
    "Arabic": "صباح الخير",
    "Hindi": "नमस्ते",
    "Thai": "สวัสดี",
    "Chinese": "早上好，火车",
    "Japanese": "おはようございます、カナ",
    "Korean": "안녕하세요",
}


def lacking() -> list[str]:
    """The scripts for which there is no font. Raises TextError where Pango is missing."""
    typesetter = Typesetter(Style(font_px=24, width_px=400))
    return [script for script, sample in SAMPLES.items() if typesetter.missing(sample)]
