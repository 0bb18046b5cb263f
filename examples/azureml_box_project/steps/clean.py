"""Keep the rows whose temperature is a number."""

import csv
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
with source.open() as rows, (target / "clean.csv").open("w") as kept:
    for day, temperature in csv.reader(rows):
        if temperature.replace(".", "", 1).lstrip("-").isdigit():
            kept.write(f"{day},{temperature}\n")
