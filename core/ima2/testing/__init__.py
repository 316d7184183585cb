"""For plugin authors: contract suites to inherit, fakes to lean on, and fixtures (loaded by pytest itself).

```python
class TestMyProvider(ima2.testing.ProviderContract):
    @pytest.fixture
    def provider(self):
        return MyProvider()
```
"""

from ima2.testing.contracts import ProviderContract, SinkContract, StorageContract, ThumbnailerContract
from ima2.testing.fakes import (
    CrashingProvider,
    EchoProvider,
    MemoryStorage,
    RecordingSink,
    SlowSink,
    StallingProvider,
    context,
    picture,
    plugin,
)
from ima2.testing.films import FilmProvider, clip

__all__ = [
    "CrashingProvider",
    "EchoProvider",
    "FilmProvider",
    "MemoryStorage",
    "ProviderContract",
    "RecordingSink",
    "SinkContract",
    "SlowSink",
    "StallingProvider",
    "StorageContract",
    "ThumbnailerContract",
    "clip",
    "context",
    "picture",
    "plugin",
]
