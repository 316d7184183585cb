"""A database as ima2-gen 2.0.2 leaves it: its tables for sessions and annotations at schema 5, with rows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SESSIONS = """
CREATE TABLE sessions (id TEXT PRIMARY KEY, title TEXT NOT NULL DEFAULT 'Untitled', created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL{later});
CREATE TABLE nodes (session_id TEXT NOT NULL, id TEXT NOT NULL, x REAL NOT NULL DEFAULT 0, y REAL NOT NULL DEFAULT 0,
  data TEXT NOT NULL DEFAULT '{{}}', PRIMARY KEY (session_id, id),
  FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE);
CREATE INDEX idx_nodes_session ON nodes(session_id);
CREATE TABLE edges (session_id TEXT NOT NULL, id TEXT NOT NULL, source TEXT NOT NULL, target TEXT NOT NULL,
  data TEXT NOT NULL DEFAULT '{{}}', PRIMARY KEY (session_id, id),
  FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE);
CREATE INDEX idx_edges_session ON edges(session_id);
CREATE TABLE image_annotations (id TEXT PRIMARY KEY, browser_id TEXT NOT NULL, filename TEXT NOT NULL,
  payload TEXT NOT NULL, schema_version INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  UNIQUE (browser_id, filename));
CREATE INDEX idx_image_annotations_filename ON image_annotations(filename);
CREATE TABLE _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO _meta VALUES ('schema_version', '5');
"""
LATER = (
    """, graph_version INTEGER NOT NULL DEFAULT 0, style_sheet TEXT, style_sheet_enabled INTEGER NOT NULL DEFAULT 0"""
)
TABLES = ("sessions", "nodes", "edges", "image_annotations")


def make(path: Path, *, sessions: int = 3, later: bool = True) -> None:
    """Write such a file; without ``later`` as versions before graphs had numbers left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(SESSIONS.format(later=LATER if later else ""))
        for number in range(sessions):
            session = f"s_{number:026d}"
            db.execute(
                "INSERT INTO sessions (id, title, created_at, updated_at) VALUES (?, ?, 1, ?)",
                (session, f"T{number}", number),
            )
            for node in ("b", "a"):
                data = json.dumps({"prompt": f"{node} in {number}", "imageUrl": f"/generated/{node}.png"})
                db.execute("INSERT INTO nodes VALUES (?, ?, 1.5, -2, ?)", (session, node, data))
            db.execute("INSERT INTO edges (session_id, id, source, target) VALUES (?, 'e', 'b', 'a')", (session,))
            payload = json.dumps({"paths": [], "boxes": [], "memos": [number]})
            note = (f"b_me:{number}.png", "b_me", f"{number}.png", payload)
            db.execute("INSERT INTO image_annotations (id, browser_id, filename, payload) VALUES (?, ?, ?, ?)", note)


def content(path: Path) -> dict[str, Any]:
    """Every row of those tables."""
    with closing(sqlite3.connect(path)) as db:
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in (*TABLES, "_meta")}


def shape(path: Path) -> dict[str, Any]:
    """Columns, whether each may be null, and keys, of those tables. Types by what they hold: whole, real or text."""
    with closing(sqlite3.connect(path)) as db:
        return {
            name: [
                (row[1], _kind(row[2]), bool(row[3] or row[5]), row[5])
                for row in db.execute(f"PRAGMA table_info({name})")
            ]
            for name in TABLES
        }


def _kind(declared: str) -> str:
    upper = declared.upper()
    return "whole" if "INT" in upper else "text" if "TEXT" in upper else "real"
