"""The line: in order of arrival, fair between clients, and a person's to arrange."""

from __future__ import annotations

from dataclasses import dataclass

from ima2.jobs.admission import GAP, Line


@dataclass(frozen=True)
class One:
    id: str
    client: str = ""


def line(*names: str, busy: dict[str, int] | None = None) -> Line[One]:
    """Jobs named ``a1``: client ``a``, first job."""
    made: Line[One] = Line()
    for name in names:
        made.join(One(name, name[0]), busy or {})
    return made


def order(made: Line[One]) -> list[str]:
    return list(made.places())


def test_one_client_is_served_in_the_order_it_came() -> None:
    assert order(line("a1", "a2", "a3")) == ["a1", "a2", "a3"]


def test_two_clients_take_turns_whoever_came_with_more() -> None:
    assert order(line("a1", "a2", "a3", "b1", "b2")) == ["a1", "b1", "a2", "b2", "a3"]


def test_who_has_nothing_running_comes_before_who_has() -> None:
    assert order(line("a1", "a2", "b1", busy={"a": 3})) == ["b1", "a1", "a2"]


def test_a_client_never_overtakes_itself() -> None:
    made = line("a1", "b1", "a2")
    made.move(One("a2", "a"), 1)
    made.join(One("b2", "b"), {})
    made.join(One("a3", "a"), {})
    places = made.places()
    assert places["a2"] < places["a1"] < places["a3"]
    assert places["b1"] < places["b2"]


def test_a_person_may_move_a_job_anywhere_and_beyond_the_ends() -> None:
    made = line("a1", "a2", "a3")
    ways = ((1, ["a3", "a1", "a2"]), (2, ["a1", "a3", "a2"]), (99, ["a1", "a2", "a3"]), (0, ["a3", "a1", "a2"]))
    for place, expected in (*ways, (3, ["a1", "a2", "a3"]), (-5, ["a3", "a1", "a2"])):
        made.move(One("a3", "a"), place)
        assert order(made) == expected


def test_keys_sort_as_the_line_does_however_often_jobs_move_to_the_front() -> None:
    made: Line[One] = Line()
    keys: dict[str, int] = {}
    for number in range(100):
        job = One(f"j{number}")
        keys.update(made.append(job))
        keys.update(made.move(job, 1))
    assert sorted(keys, key=keys.__getitem__) == order(made) == [f"j{n}" for n in reversed(range(100))]
    assert max(keys.values()) < 2**63


def test_beyond_the_end_a_job_gets_the_key_of_the_last_place() -> None:
    made = line("a1", "a2", "a3")
    assert made.move(One("a1", "a"), 99) == {"a1": 4 * GAP}


def test_joining_at_the_end_changes_one_key() -> None:
    made = line("a1", "a2")
    assert made.append(One("a3", "a")) == {"a3": 3 * GAP}


def test_who_leaves_frees_the_place() -> None:
    made = line("a1", "a2", "a3")
    made.leave(One("a1", "a"))
    made.leave(One("never there"))
    assert made.places() == {"a2": 1, "a3": 2}
    assert len(made) == 2
