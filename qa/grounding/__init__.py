"""Judges claims: does the evidence say so, and in which words."""
