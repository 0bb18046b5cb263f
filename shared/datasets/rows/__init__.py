"""From bytes to rows: blocks of lines, the fast way with types, the strict way with rules."""
