"""Makes what is drawn, typeset or counted in the sample account, and its manifest.

Robin's lighthouse is ours: no word or line of it is taken from anywhere. Texts written by hand live
in `account/` itself; the rest comes from `sources/`. Run it after changing either (it needs the
DejaVu fonts, Debian's fonts-dejavu):

    python3 -m venv /tmp/make && /tmp/make/bin/pip install pillow reportlab av
    /tmp/make/bin/python make.py

The manifest says, for each file, when it was made and changed and what it is, and facts for tests
that look at what is really on the screen. For pictures a `probe`: a pixel inside a solid area of a
picture of `width` by `height`, and its colour (JPEGs: within 8 of it). For PDFs the number of `pages`,
what the first and the last one say, and for a `cover` a point in it, as parts of its width and height, with its colour.
For films the `seconds` they last, and a `probe` that keeps its colour (within 10 of it).
"""

import csv
import json
import sys
import wave
from datetime import date
from math import pi, sin
from pathlib import Path
from struct import pack

HERE = Path(__file__).parent
ACCOUNT, SOURCES = HERE / "account", HERE / "sources"
sys.path.insert(0, str(SOURCES))
sys.dont_write_bytecode = True

import films  # noqa: E402
import logbook  # noqa: E402
import papers  # noqa: E402
import pictures  # noqa: E402

FIRST_NOTE, NOTES = date(2026, 9, 1), 72
# SVGs are written by hand; the second has a viewBox only, so that a browser gives it no size.
SVG_PROBES = {
    "Garden/Planting plan.svg": {"x": 740, "y": 445, "rgb": [229, 143, 165], "width": 900, "height": 600},
    "Lighthouse/Plans/Tower section.svg": {"x": 350, "y": 752, "rgb": [200, 56, 44], "width": 640, "height": 960},
}
# Covers show the tower; here is its middle red band.
COVER_PROBES = {
    "Garden/A walk round the garden.pdf": {"x": 0.5, "y": 0.455, "rgb": [200, 56, 44]},
    "Lighthouse/Keeper's Handbook.pdf": {"x": 0.5, "y": 0.455, "rgb": [200, 56, 44]},
    "Post cards/Calendar 2027.pdf": {"x": 0.5, "y": 0.423, "rgb": [200, 56, 44]},
}


def place(relative):
    path = ACCOUNT / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def draw(facts):
    rain = list(csv.DictReader((ACCOUNT / "Weather/Rain by month.csv").open(encoding="utf-8")))
    for relative, (image, probe) in {
        "Lighthouse/Skerryholm Light.png": pictures.the_light(),
        "Lighthouse/Plans/Lantern room/Fresnel lens.png": pictures.lens(),
        "Garden/Plate 1, sea kale.png": pictures.sea_kale(),
        "Garden/Plate 2, thrift.jpg": pictures.thrift(),
        "Post cards/Chart of the skerries.png": pictures.chart(),
        "Post cards/Sunset from the gallery.jpg": pictures.sunset(),
        "Post cards/Puffin of the month.jpg": pictures.puffin(),
        "Post cards/Stamp.png": pictures.stamp(),
        "Weather/Rain by month.png": pictures.rain_chart(rain),
    }.items():
        image.save(place(relative), **({"quality": 86} if relative.endswith("jpg") else {"optimize": True}))
        facts[relative] = {"probe": {**probe, "width": image.width, "height": image.height}}
    facts.update({relative: {"probe": probe} for relative, probe in SVG_PROBES.items()})
    facts["Lighthouse/One turn of the light.mp4"] = films.the_turn(place("Lighthouse/One turn of the light.mp4"))


def typeset(facts):
    title = "The Keeper's Handbook"
    for relative, says in {
        "Lighthouse/Keeper's Handbook.pdf": papers.book(
            SOURCES / "handbook.txt", place("Lighthouse/Keeper's Handbook.pdf"), papers.A5, title, "Skerryholm, 2026"
        ),
        "Garden/A walk round the garden.pdf": papers.book(
            SOURCES / "garden-walk.txt", place("Garden/A walk round the garden.pdf"), papers.A5,
            "A walk round the garden", "ten minutes, or an hour",
        ),
        "Letters/Letter to Aunt Edda.pdf": papers.letter(SOURCES / "letter.txt", place("Letters/Letter to Aunt Edda.pdf")),
        "Post cards/Calendar 2027.pdf": papers.calendar(place("Post cards/Calendar 2027.pdf"), 2027, pictures.month_scene),
    }.items():
        last = str(len(says))
        facts[relative] = {"pages": len(says), "says": {"1": says["1"], last: says[last]}}
        if relative in COVER_PROBES:
            facts[relative]["cover"] = COVER_PROBES[relative]


def write(facts):
    for day, note in logbook.watch_notes(FIRST_NOTE, NOTES):
        place(f"Watch log/{day}.txt").write_text(note, encoding="utf-8")
        facts[f"Watch log/{day}.txt"] = {
            "created_at": f"{day}T21:40:00Z", "modified_at": f"{day}T21:52:00Z", "description": "A note for the day.",
        }
    place("Lighthouse/Log of 1889, transcribed.txt").write_text("\n".join(logbook.log_of_1889()), encoding="utf-8")
    place("Weather/Tides, June 2027.csv").write_text("".join(logbook.tides(2027, 6, 30)), encoding="utf-8")
    with wave.open(str(place("Lighthouse/Foghorn.wav")), "wb") as horn:
        horn.setparams((1, 2, 4000, 0, "NONE", ""))
        horn.writeframes(b"".join(
            pack("<h", int(9000 * min(1, t / 400, (8000 - t) / 900) * sin(t / 4000 * 2 * pi * 110))) for t in range(8000)
        ))


def main():
    facts = {}
    draw(facts)
    typeset(facts)
    write(facts)
    with (SOURCES / "catalogue.csv").open(encoding="utf-8") as catalogue:
        for row in csv.DictReader(catalogue):
            facts.setdefault(row.pop("path"), {}).update(row)
    files = {str(path.relative_to(ACCOUNT)) for path in ACCOUNT.rglob("*") if path.is_file()}
    undescribed = files ^ {relative for relative, fact in facts.items() if "description" in fact}
    if undescribed:
        raise SystemExit(f"in the account or in sources/catalogue.csv, but not in both: {sorted(undescribed)}")
    manifest = {"files": dict(sorted(facts.items())), "empty_folders": ["Letters/Unanswered"]}
    (HERE / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
