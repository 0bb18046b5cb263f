"""Chat datasets: bytes in, rows and findings out. No Azure in here."""
