"""Puts retrieved passages into a better order, by reading each with the question; off unless a model is named."""
