"""Measures the service: runs over datasets, scores, comparisons, gates, benchmarks, reports."""
