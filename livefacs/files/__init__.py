"""Files: written whole or not at all, locked, private, hashed, read within bounds."""
