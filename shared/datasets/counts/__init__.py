"""What is counted about rows, and how it is told in numbers."""
