"""The dashboard's routes: the page, what it shows live, dead letters and transfers."""
