"""Fit a line through all days by least squares."""

import csv
import json
import sys
from pathlib import Path

source, target = map(Path, sys.argv[1:])
points = [(float(day), float(value)) for day, value in csv.reader((source / "clean.csv").open())]
if len(points) < 2:
    sys.exit("a line needs two points")
days, values = zip(*points, strict=True)
middle_day, middle = sum(days) / len(days), sum(values) / len(values)
slope = sum((d - middle_day) * (v - middle) for d, v in points) / sum((d - middle_day) ** 2 for d in days)
print(f"{len(points)} days, {slope:+.2f} degrees a day")
(target / "line.json").write_text(json.dumps({"slope": slope, "start": middle - slope * middle_day}))
