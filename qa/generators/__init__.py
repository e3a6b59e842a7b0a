"""What writes drafts: any OpenAI-compatible model, or a script."""

from qa.generators.loading import load_generator
from qa.generators.protocol import Delta, Finish, Generator, Message

__all__ = ["Delta", "Finish", "Generator", "Message", "load_generator"]
