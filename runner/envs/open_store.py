"""The store as a run opens it: with the cap that the settings say."""

from __future__ import annotations

from runner.amounts import size_bytes
from runner.envs.store import Store
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.model import Settings


def open_store(home: str, settings: Settings) -> Store | None:
    """The store in a folder, with its cap; None where no folder is named."""

    def limit(store: Store) -> None:
        from runner.envs.store_upkeep import keep_below  # 5 ms that only a new image costs

        keep_below(store, size_bytes(settings.store_size) or 0)

    return Store(home, limit) if home else None
