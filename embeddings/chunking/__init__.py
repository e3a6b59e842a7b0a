"""Cuts texts into sentences, and articles into passages sized for one embedding."""
