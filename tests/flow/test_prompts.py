"""Prompts from end to end: the real server and the real command line, an old database, and the plugin switched off."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.flow.cli import document
from tests.upstreams import github
from tests.upstreams.world import World, running

PLUGINS = "local_storage,pillow_thumbs,sse,demo,prompts"
FOX = "A red fox in the first snow, seen from above, long blue shadows."
OWL = "An owl made of folded paper on a window sill, late sun behind it."
SCHEMA_5 = """
CREATE TABLE _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO _meta VALUES ('schema_version', '5');
CREATE TABLE prompt_folders (
  id TEXT PRIMARY KEY, parent_id TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
  created_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  UNIQUE (parent_id, name));
CREATE TABLE prompts (
  id TEXT PRIMARY KEY, folder_id TEXT NOT NULL DEFAULT '__root__', name TEXT NOT NULL, text TEXT NOT NULL, tags TEXT,
  mode TEXT, is_favorite INTEGER NOT NULL DEFAULT 0, favorited_at INTEGER,
  created_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now')),
  FOREIGN KEY (folder_id) REFERENCES prompt_folders(id) ON DELETE SET DEFAULT);
INSERT INTO prompt_folders (id, parent_id, name) VALUES
  ('__root__', '__root__', '__root__'), ('__trash__', '__root__', '__trash__'), ('f1', '__root__', 'Foxes');
INSERT INTO prompts VALUES
  ('p1', 'f1', 'Fox', 'a fox', '["red"]', 'direct', 1, 1790000001, 1790000000, 1790000002),
  ('p2', '__trash__', 'Gone', 'gone', NULL, NULL, 0, NULL, 1790000000, 1790000000);
"""


def rows(file: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def test_a_library_of_ima2_gen_opens_in_place_and_stays_readable_for_it(serve: Any, tmp_path: Path) -> None:
    home = tmp_path / "old"
    home.mkdir()
    file = home / "sessions.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(SCHEMA_5)
    before = {table: rows(file, table) for table in ("prompts", "prompt_folders")}
    served = serve(home=home, plugins=PLUGINS)
    answer = served.client.get("/api/prompts").json()
    assert [one["name"] for one in answer["folders"]] == ["Foxes"]
    (fox,) = answer["prompts"]
    assert (fox["id"], fox["folderId"], fox["tags"], fox["favoritedAt"]) == ("p1", "f1", ["red"], 1790000001)
    assert (fox["createdAt"], fox["updatedAt"]) == (1790000000, 1790000002)
    served.stop()
    assert {table: rows(file, table) for table in before} == before
    served.start()
    assert served.client.patch("/api/prompts/p1", json={"text": "two foxes"}).status_code == 200
    served.stop()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO prompts (id, name, text) VALUES ('p3', 'n', 'from the reference')")
        connection.commit()
        assert connection.execute("SELECT text FROM prompts WHERE id = 'p1'").fetchone() == ("two foxes",)


def test_the_command_line_keeps_finds_changes_and_removes(serve: Any, at_work: Any) -> None:
    cli = at_work(serve(plugins=PLUGINS).environ)
    folder = cli("prompt", "folder", "create", "Red", "animals").stdout.strip()
    (cli.folder / "fox.txt").write_text("a fox\nin snow")
    made = cli("prompt", "create", "--text", "@fox.txt", "--tags", "a,b", "--tag", "c", "--folder", folder)
    assert (made.returncode, made.stderr) == (0, "")
    name = made.stdout.strip()
    shown = json.loads(cli("prompt", "show", name).stdout)["prompt"]
    assert (shown["text"], shown["tags"], shown["folderId"]) == ("a fox\nin snow", ["c", "a", "b"], folder)
    assert cli("prompt", "favorite", name).stdout == "✓ ★ favourite\n"
    listed = cli("prompt", "ls", "-q", "snow").stdout
    assert "Red animals" in listed
    assert "★" in listed.splitlines()[2]
    assert cli("prompt", "folder", "create", "red animals").returncode == 5
    assert cli("prompt", "edit", name).returncode == 2
    assert cli("prompt", "edit", name, "--text", "-").returncode == 2
    assert document(cli("prompt", "edit", name, "--name", "Fox", "--json"))["prompt"]["name"] == "Fox"
    assert cli("prompt", "rm", name).returncode == 2
    assert cli("prompt", "rm", name, "--yes").returncode == 0
    assert cli("prompt", "ls").stdout == "(no prompts)\n"
    assert cli("prompt", "show", "none").returncode == 5
    assert cli("prompt", "folder", "rm", folder, "-y").returncode == 0


def test_what_is_exported_is_imported_elsewhere(serve: Any, at_work: Any) -> None:
    cli = at_work(serve(plugins=PLUGINS).environ)
    cli("prompt", "create", "--text", FOX)
    assert cli("prompt", "export", "-o", "out/all.json").returncode == 0
    counts = document(cli("prompt", "import", "json", "out/all.json", "--dry-run", IMA2_SERVER="http://127.0.0.1:1"))
    assert counts == {"folders": 0, "prompts": 1}
    other = at_work(serve(plugins=PLUGINS).environ)
    done = other("prompt", "import", "json", "@out/all.json")
    assert done.stdout == "✓ 1 imported, 0 there already\n"
    (cli.folder / "bare.json").write_text(json.dumps([{"text": OWL}, {"name": "no text"}]))
    done = other("prompt", "import", "json", "bare.json")
    assert (done.returncode, done.stdout) == (0, "✓ 1 imported, 0 there already\n")
    assert "left out: prompt 2" in done.stderr
    (cli.folder / "broken.json").write_text("{")
    assert other("prompt", "import", "json", "broken.json").returncode == 2


def test_a_folder_of_this_machine_is_imported_one_bad_file_aside(serve: Any, at_work: Any) -> None:
    cli = at_work(serve(plugins=PLUGINS).environ)
    pack = cli.folder / "pack"
    pack.mkdir()
    (pack / "a.md").write_text(f"# Fox\n{FOX}\n# Owl\n{OWL}")
    (pack / "b.txt").write_bytes(b"\xff\xfe not utf-8")
    (pack / "c.md").write_text("# too short\n")
    (pack / "d.png").write_bytes(b"x")
    done = cli("prompt", "import", "folder", "pack")
    assert (done.returncode, done.stdout) == (0, "2 candidates\n✓ 2 imported, 0 there already\n")
    assert [name in done.stderr for name in ("b.txt", "c.md", "d.png")] == [True, True, False]
    again = document(cli("prompt", "import", "folder", "pack", "--json"))
    assert (again["promptsImported"], again["duplicatesSkipped"]) == (0, 2)
    shown = json.loads(cli("prompt", "import", "preview", "pack/a.md").stdout)
    assert [one["name"] for one in shown["candidates"]] == ["Fox", "Owl"]


def test_github_is_asked_from_the_command_line(serve: Any, at_work: Any) -> None:
    world = World()
    with running(world, github.routes(world)):
        files = github.repositories(world)
        files["aimikoda/nano-banana-pro-prompts"] = {"README.md": f"# Fox\n{FOX}".encode()}
        files["o/r"] = {f"p/{number:02}.txt": f"{OWL} Number {number}.".encode() for number in range(25)}
        world.state["github.results"] = [github.row("o/r")]
        cli = at_work(serve(plugins=PLUGINS, **github.environment(world.base_url)).environ)
        curated = ("prompt", "import", "curated", "-q", "fox", "--source", "aimikoda-nano-banana-pro")
        assert len(document(cli(*curated, "--dry-run", "--json"))["candidates"]) == 1
        assert cli(*curated).stdout == "1 candidates\n✓ 1 imported, 0 there already\n"
        assert document(cli(*curated[:-1], "midjourney-awesome-manual", "--json"))["promptsImported"] == 0
        assert cli("prompt", "import", "folder", "o/r:p").stdout.endswith("✓ 25 imported, 0 there already\n")
        assert cli("prompt", "import", "folder", "./none").returncode == 5
        assert "o/r" in cli("prompt", "import", "discovery", "-q", "owls").stdout
        assert "1 prompts in 1 files" in cli("prompt", "import", "refresh", "--source", curated[-1]).stdout
        assert set(document(cli("prompt", "import", "sources", "--json"))) == {"curated", "discovery"}


def test_templates_are_expanded_and_run_and_the_seed_gives_the_same_again(serve: Any, at_work: Any) -> None:
    served = serve(plugins=PLUGINS)
    cli = at_work(served.environ)
    served.client.put("/api/prompts/templates/lists/light", json={"lines": ["dawn", "noon", "dusk"]})
    assert "light" in cli("prompt", "lists").stdout
    lines = cli("prompt", "expand", "a {red|blue} fox at __light:each__", "--seed", "5").stdout.splitlines()
    assert sorted(line.rpartition(" ")[2] for line in lines) == ["dawn", "dusk", "noon"]
    template = "#template seed=5 index=1\na {red|blue} fox at __light:each__"
    done = cli("gen", template, "--provider", "demo", "-s", "64x64", "-o", "fox.png")
    assert done.returncode == 0, done.stderr
    (sidecar,) = [json.loads(path.read_text()) for path in served.generated.glob("*.json")]
    assert (sidecar["prompt"], sidecar["userPrompt"]) == (lines[1], template)
    assert (sidecar["template"]["seed"], sidecar["template"]["index"]) == (5, 1)


@pytest.mark.parametrize("arguments", [(), ("--message", "a", "--messages", "b.json"), ("--messages", "none.json")])
def test_a_conversation_that_cannot_be_is_refused_before_anything_is_asked(serverless: Any, arguments: Any) -> None:
    on = "local_storage,pillow_thumbs,demo,prompts"
    assert serverless("prompt", "build", *arguments, IMA2_PLUGINS=on).returncode == 2


def test_where_nobody_has_words_building_ends_with_the_exit_code_of_a_missing_sign_in(serverless: Any) -> None:
    done = serverless("prompt", "build", "--message", "a fox", IMA2_PLUGINS="local_storage,prompts")
    assert (done.returncode, "OAUTH_UNAVAILABLE" in done.stderr) == (4, True)


def test_without_a_server_the_library_is_there_too(serverless: Any) -> None:
    on = {"IMA2_PLUGINS": "local_storage,pillow_thumbs,demo,prompts"}
    name = serverless("prompt", "create", "--text", FOX, **on).stdout.strip()
    assert document(serverless("prompt", "ls", "--json", **on))["prompts"][0]["id"] == name


def test_switched_off_its_routes_and_commands_are_gone_and_nothing_else(serve: Any, at_work: Any) -> None:
    served = serve()
    assert served.client.get("/api/prompts").status_code == 404
    assert served.client.post("/api/prompt-builder/chat", json={}).status_code == 404
    done = at_work(served.environ)("prompt", "ls")
    assert (done.returncode, "prompts" in done.stdout) == (2, True)
    body = {"prompt": "#template\na {b|c}", "provider": "demo", "size": "64x64"}
    assert served.client.post("/api/generate", json=body).status_code == 200
