"""Serve the model that scripts/fetch_llm.py fetched, over OpenAI's API, until standard input is closed.

    python scripts/serve_llm.py FOLDER [THREADS]

Prints `serving at http://127.0.0.1:PORT/v1` once it answers. Two threads unless said: more than there are cores makes
it many times slower.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

CONTEXT_TOKENS = 4096


def main(arguments: list[str]) -> int:
    """Serve; the model is loaded when the address is printed."""
    if len(arguments) not in {1, 2}:
        sys.stderr.write("usage: python scripts/serve_llm.py FOLDER [THREADS]\n")
        return 2
    folder = Path(arguments[0])
    models = sorted(folder.glob("*.gguf"))
    if not models:
        sys.stderr.write(f"serve_llm: no model in {folder}; run python scripts/fetch_llm.py {folder}\n")
        return 1
    sys.path.insert(0, str(folder / "server"))
    xllamacpp = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(models[0])
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.port = 0
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = int(arguments[1]) if len(arguments) == 2 else 2
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"serving at {server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
