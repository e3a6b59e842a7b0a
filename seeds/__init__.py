"""Sample articles and labelled questions, written for this project."""
