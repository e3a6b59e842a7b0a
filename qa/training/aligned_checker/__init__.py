"""Fits the aligned support checker: its networks and thresholds, and its dependency parser."""
