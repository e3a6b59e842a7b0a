"""Reads files that need a parser of untrusted data in a process of their own, which can be killed.

    frames   what the two processes say to each other
    running  this side: starts the process, asks it for one thing after the other, says why it ended
    child    that side: bounds itself, then lets the reader of the file's kind work

The process gets no setting, no key and no open file of this one. It may take so much memory and processor time, and say
so much, and no more; whatever happens to it, the next file goes on.
"""

from embeddings.readers.confined.frames import Member
from embeddings.readers.confined.running import read

__all__ = ["Member", "read"]
