"""What the old barometer in the kitchen would say, from two readings three hours apart."""

from dataclasses import dataclass

# The hand of 1904 stands a little low; see station.json.
OFFSET_HPA = 1.5


@dataclass(frozen=True)
class Reading:
    pressure_hpa: float

    @property
    def true_hpa(self) -> float:
        return self.pressure_hpa + OFFSET_HPA


def words(before: Reading, now: Reading) -> str:
    """The forecast in the words that are engraved on the dial."""
    change = now.true_hpa - before.true_hpa
    if change <= -6:
        return "Stormy. Bring in the washing and the goat."
    if change <= -2:
        return "Rain. Bring in the washing."
    if change >= 2:
        return "Fair. Put out the washing."
    return "Change, as usual."


if __name__ == "__main__":
    print(words(Reading(1009.0), Reading(1001.5)))
