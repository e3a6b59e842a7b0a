"""Automatic sources of articles: feeds that are polled and folders that are watched, in processes of their own."""
