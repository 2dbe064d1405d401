"""Measures the package against what users would use instead: `make bench`."""
