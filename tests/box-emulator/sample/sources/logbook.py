"""Writes the notes that are too many to write by hand: the same words from the same seed."""

from datetime import date, timedelta
from math import cos, pi
from random import Random

WINDS = ("SW 3", "SW 4", "W 5", "W 6", "NW 4", "N 3", "S 2", "E 2", "SE 3", "W 7", "calm")
SKIES = ("clear", "high cloud", "low cloud", "showers", "steady rain", "mist at dawn", "sun and showers")
SEEN = (
    "Eleven geese, in a hurry.", "A yawl under full sail, waving.", "Nothing, very large.",
    "Seals on the Hen; they had brought a friend.", "The mail boat, early, which is suspicious.",
    "A rainbow with both ends in Vik.", "Two trawlers, arguing.", "The moon, twice: once in the pond.",
    "A porpoise off the creek.", "A kite, without a child.", "Starlings, perhaps a thousand.",
    "A large ship, lit like a town, without a sound.", "Jonna's red hat, from two miles.",
)
DONE = (
    "Prisms dusted.", "Wrote up the accounts; they wrote back.", "Painted half a red band.",
    "Carried seaweed to bed one.", "Mended the gate.", "Mended the gate again.", "Oiled the bearing.",
    "Baked. The window was open, so visitors came.", "Swept 118 stairs.", "Nothing, and did it well.",
    "Split wood.", "Copied a page of the 1889 log.", "Sewed the curtain.",
)
GOAT = (
    "Goat: on the porch.", "Goat: in the porch.", "Goat: content.", "Goat: in the beans.",
    "Goat: looked at the sea for an hour.", "Goat: ate a page of this log, see tomorrow.", "Goat: forgiven.",
)


def watch_notes(first, days):
    """(date, text) for each day of the watch log."""
    chance = Random(1876)
    for n in range(days):
        day = first + timedelta(days=n)
        pressure = 1013 + chance.gauss(0, 9)
        yield day, (
            f"{day:%A}, {day.day} {day:%B %Y}\n\n"
            f"Wind {chance.choice(WINDS)}, {chance.choice(SKIES)}. Barometer {pressure:.1f}.\n"
            f"Seen: {chance.choice(SEEN)}\n"
            f"Done: {chance.choice(DONE)}\n"
            f"{chance.choice(GOAT)}\n\n"
            f"Lit {chance.randint(16, 18)}:{chance.randint(0, 59):02}, out at first light.   R. H.\n"
        )


def log_of_1889():
    """A year by another hand, long enough that a preview shows only its beginning."""
    chance = Random(1889)
    verbs = ("blew", "leaned on the door", "sang in the chimney", "turned twice", "would not make up its mind")
    gauge = ("The gauge ran over.", "The gauge is full; emptied it into the pond, which is also full.",
             "A dry hour about noon, spent hanging out washing.", "Rain upward at the west window.",
             "It rained on the sea, which seems a waste.")
    lamp = ("Lamp trimmed at dusk, at eleven and at four.", "Two wicks renewed, one forgiven.",
            "Oil from the second cask, which smells of fish and burns like one.",
            "The clockwork wound every third hour; my sister took the small watch.")
    ships = ("a barque, running", "two luggers of Vik", "a steamer with more smoke than steam",
             "the revenue cutter, looking for marmalade", "a schooner, hull down", "nobody", "a raft of timber, unattended")
    yield "LOG OF SKERRYHOLM LIGHT FOR THE YEAR 1889\nkept by Marta Holm, transcribed by R. H.\n"
    for n in range(365):
        day = date(1889, 1, 1) + timedelta(days=n)
        lines = [f"{day:%A}, {day.day} {day:%B} 1889."]
        for watch in ("First watch", "Middle watch", "Morning watch"):
            lines.append(
                f"{watch}: the wind {chance.choice(verbs)} from {chance.choice(('SW', 'W', 'NW', 'S', 'N'))}, force "
                f"{chance.randint(2, 10)}. {chance.choice(gauge)} {chance.choice(lamp)} Passed: {chance.choice(ships)}."
            )
        yield "\n".join(lines) + "\n"
    yield "The year is full and so is this book. M. H.\n"


def tides(year, month, days):
    """Rows of a tide table: two high and two low waters a day, fifty minutes later each day."""
    yield "Date,High,Height m,Low,Height m,High,Height m,Low,Height m\n"
    for n in range(days):
        spring = 0.35 * cos(n / 14.77 * 2 * pi)
        start = 190 + n * 50
        cells = []
        for turn in range(4):
            minute = (start + turn * 373) % 1440
            height = 1.45 + spring if turn % 2 == 0 else 0.42 - spring * 0.6
            cells += [f"{minute // 60:02}:{minute % 60:02}", f"{height:.2f}"]
        yield f"{year}-{month:02}-{n + 1:02}," + ",".join(cells) + "\n"
