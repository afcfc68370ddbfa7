"""File formats that other packages read; ``registry`` lists them, ``export.py`` writes them."""
