"""What all contract suites share."""

from __future__ import annotations


class Suite:
    """An inherited test may be switched off only by marking it ``xfail`` with a reason in the subclass."""

    def test_no_inherited_test_is_switched_off_in_silence(self) -> None:
        """A subclass may replace a test only to mark it as an expected failure, with a reason."""
        for name in dir(type(self)):
            if not name.startswith("test_"):
                continue
            homes = [kind for kind in type(self).__mro__ if name in vars(kind)]
            if len(homes) > 1 and homes[-1].__module__.startswith("ima2.testing."):
                marks = getattr(getattr(type(self), name), "pytestmark", [])
                excused = any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
                assert excused, f"{name} is replaced without an xfail that gives a reason"
