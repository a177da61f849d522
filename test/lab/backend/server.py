"""A backend with the habits of R3MES's own: what it is told stands in its environment, /health is always content, and
/health/database tells the truth. It answers at once and blocks nothing, so it can be put behind a proxy and under load."""
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg2

VERSION = (Path(__file__).parent / "VERSION").read_text().strip()
NEEDS = (Path(__file__).parent / "NEEDS").read_text().split()


def database():
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM users")
        users = cursor.fetchone()[0]
        cursor.execute("SELECT version_num FROM alembic_version")
        revision = cursor.fetchone()[0]
    if revision not in NEEDS:
        raise RuntimeError(f"schema {revision} is none that release {VERSION} knows")
    return {"status": "healthy", "database": "postgresql", "revision": revision, "users": users}


def answer(path):
    if path == "/health":
        return 200, {"status": "healthy"}
    if path == "/health/database":
        try:
            return 200, database()
        except Exception as error:
            return 503, {"status": "unhealthy", "error": type(error).__name__}
    if path == "/api/v1/status":
        return 200, {"version": VERSION, "environment": os.environ.get("R3MES_ENV", "development"), "pid": os.getpid()}
    return 404, {"error": "not found"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = answer(self.path)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Access-Control-Allow-Origin", os.environ.get("CORS_ALLOWED_ORIGINS", "http://localhost:3000"))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


# A release that knows how takes its secrets from where it is told that they are.
if "R3MES_SECRET_ID" in os.environ and (Path(__file__).parent / "secret_manager.py").exists():
    import secret_manager

    os.environ["DATABASE_URL"] = secret_manager.read()["database_url"]
if "DATABASE_URL" not in os.environ:
    sys.exit("DATABASE_URL is not set")
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
