"""Blinks in the terminal as Skerryholm blinks at sea. Ctrl-C ends the night."""

import json
import time
from pathlib import Path

LIGHT = json.loads(Path(__file__).with_name("Light character.json").read_text(encoding="utf-8"))


def show(lit: bool) -> None:
    print("\r" + ("  *  " if lit else "  .  "), end="", flush=True)


def night() -> None:
    while True:
        for phase in LIGHT["phases"]:
            show(phase["light"])
            time.sleep(phase["seconds"])


if __name__ == "__main__":
    try:
        night()
    except KeyboardInterrupt:
        print("\rGood morning.")
