"""`python -m bench`: what we promise about speed and memory, measured on this machine in a box of its own."""
