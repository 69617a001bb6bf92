"""One adapter per state; the folder reads as the pipeline."""
