"""Say a sentence by HTTP, with Python's own library, beside `mien run` and `mien http`: python http_say.py "Hello"."""

import json
import sys
from urllib.request import Request, urlopen

TEXT = sys.argv[1] if len(sys.argv) > 1 else "Good morning"
URL = sys.argv[2] if len(sys.argv) > 2 else "http://127.0.0.1:8157/say"

request = Request(URL, TEXT.encode(), {"Content-Type": "text/plain; charset=utf-8"})
with urlopen(request) as answer:
    name = ""
    for line in answer:
        field, _, value = line.decode().strip().partition(": ")
        if field == "event":
            name = value
        elif field == "data" and name in ("started", "finished", "error"):
            print(name, json.loads(value))
