"""What writes drafts: any OpenAI-compatible model, or a script."""

from qa.generators.generator import Delta, Finish, Generator, Message
from qa.generators.load_generator import load_generator

__all__ = ["Delta", "Finish", "Generator", "Message", "load_generator"]
