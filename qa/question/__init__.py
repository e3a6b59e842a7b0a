"""Understands the question: intent, parts, spelling, wording, time."""
