"""The box as a whole: its home folder, its certificates, its services and who looks after them."""
