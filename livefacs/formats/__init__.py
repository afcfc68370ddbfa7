"""File formats that other packages read; ``export.py`` lists them."""
