"""Measurements of the product; `make bench` runs them."""
