"""Calling hooks: the only user of pluggy.

One hook of one plugin is called at a time, so that a plugin that raises loses its own answer and no
other's.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pluggy

from ima2.kernel import hookspecs

hookimpl = pluggy.HookimplMarker("ima2")
_hookspec = pluggy.HookspecMarker("ima2")
for _name in hookspecs.HOOKS:
    _hookspec(getattr(hookspecs, _name))


class Hooks:
    """The plugins of one process, by name. Nothing is kept at module level."""

    def __init__(self) -> None:
        self._plugins = pluggy.PluginManager("ima2")
        self._plugins.add_hookspecs(hookspecs)

    def register(self, name: str, module: ModuleType) -> list[str]:
        """Take a plugin in. Returns the hooks it has that this version does not know.

        Raises ``LookupError`` when it implements none, ``TypeError`` when a signature does not fit.
        """
        other = self._plugins.get_name(module)
        if other is not None:
            raise LookupError(f"its module is in use as plugin {other} already; switch one of the two off")
        try:
            self._plugins.register(module, name=name)
        except pluggy.PluginValidationError as error:
            raise TypeError(" ".join(str(error).split())) from None
        unknown = self._unknown(module)
        if not self.hooks_of(name):
            self._plugins.unregister(name=name)
            raise LookupError("no known hook" + (f" (unknown: {', '.join(unknown)})" if unknown else ""))
        return unknown

    def unregister(self, name: str) -> None:
        """Forget a plugin, if it is known."""
        if self._plugins.has_plugin(name):
            self._plugins.unregister(name=name)

    def hooks_of(self, name: str) -> list[str]:
        """The hooks that a plugin implements, in the order of the specification."""
        callers = self._plugins.get_hookcallers(self._plugins.get_plugin(name)) or []
        names = {caller.name for caller in callers}
        return [hook for hook in hookspecs.HOOKS if hook in names]

    def call(self, name: str, hook: str, **arguments: Any) -> Any:
        """What one plugin answers to one hook; ``None`` when it does not implement it. Raises what it raises."""
        plugin = self._plugins.get_plugin(name)
        others = [other for other in self._plugins.get_plugins() if other is not plugin]
        answers = self._plugins.subset_hook_caller(hook, others)(**arguments)
        return answers[0] if answers else None

    @staticmethod
    def _unknown(module: ModuleType) -> list[str]:
        marked = (name for name, value in vars(module).items() if hasattr(value, "ima2_impl"))
        return sorted(name for name in marked if name not in hookspecs.HOOKS)
