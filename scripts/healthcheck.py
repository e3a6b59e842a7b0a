"""Ask the service whether it is ready; exit status 0 if it is. The container's health check.

    python healthcheck.py [ADDRESS]

Standard library only: it runs every half minute.
"""

from __future__ import annotations

import http.client
import sys
from urllib.parse import urlsplit

DEFAULT_ADDRESS = "http://127.0.0.1:8000"


def ready(address: str) -> bool:
    """Whether `GET /health/ready` answers 200 within three seconds."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=3)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_ADDRESS) else 1)
