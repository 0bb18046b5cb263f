"""This part of the bench alone."""

import sys

from bench.generation import _main

_main(sys.argv[1:])
