"""Prints a price tag for each article in Stock.csv."""

import csv
from pathlib import Path


def tag(article: str, price: str) -> str:
    width = max(len(article), 12) + 2
    line = "+" + "-" * width + "+"
    return "\n".join([line, f"|{article:^{width}}|", f"|{'€ ' + price:^{width}}|", line])


with Path(__file__).with_name("Stock.csv").open(encoding="utf-8", newline="") as stock:
    for row in csv.DictReader(stock):
        print(tag(row["Article"], row["Price"]))
