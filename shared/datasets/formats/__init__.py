"""What else people drop: other containers (gzip, an array, Parquet) and other shapes of rows, told apart and turned.

`containers` says what a file is by its first bytes, `readers` takes three formats as they are, `shapes` turns rows of
other formats into chat rows, `conversion` does so for a whole file.
"""
