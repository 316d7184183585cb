"""Settings of the prompt library. Names and defaults are ima2-gen's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

import ima2
from ima2_plugins.prompts.templates.lists import Lists


def _limit(default: int, name: str, help: str = "") -> Any:
    variable = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in name)
    key = f"limits.promptImport{name[0].upper()}{name[1:]}"
    return ima2.setting(default, env=f"IMA2_PROMPT_IMPORT_{variable}", key=key, ge=1, help=help)


class PromptSettings(BaseModel):
    """Limits of imports, the caches of what was found on GitHub, and where that is."""

    max_file_bytes: int = _limit(524_288, "maxFileBytes", "Bytes of a file that is read.")
    max_candidates_per_file: int = _limit(100, "maxCandidatesPerFile", "Prompts taken from a file.")
    max_candidates_per_import: int = _limit(100, "maxCandidatesPerImport", "Prompts of one import.")
    fetch_timeout_ms: int = _limit(8_000, "fetchTimeoutMs", "Milliseconds a file may take.")
    max_candidate_chars: int = _limit(12_000, "maxCandidateChars", "Longest prompt that is taken.")
    min_candidate_chars: int = _limit(40, "minCandidateChars", "Shortest prompt that is taken.")
    max_source_chars_scanned: int = _limit(524_288, "maxSourceCharsScanned", "Characters of a file that are looked at.")
    max_repo_index_files: int = _limit(500, "maxRepoIndexFiles", "Files of a repository that are indexed.")
    curated_search_limit: int = _limit(50, "curatedSearchLimit", "Results of a search.")
    index_cache_ttl_ms: int = _limit(86_400_000, "indexCacheTtlMs", "How long an index is good, in milliseconds.")
    max_folder_files: int = _limit(100, "maxFolderFiles", "Files that a folder is listed with.")
    max_folder_preview_files: int = _limit(20, "maxFolderPreviewFiles", "Files of a folder that are read at once.")
    discovery_search_limit: int = _limit(20, "discoverySearchLimit", "Repositories that a search finds.")
    discovery_cache_ttl_ms: int = _limit(
        3_600_000, "discoveryCacheTtlMs", "How long the same search is answered from memory, in milliseconds."
    )
    discovery_max_queries: int = _limit(5, "discoveryMaxQueries", "Questions that one search asks GitHub.")
    index_file: str = ima2.setting(
        "",
        env="IMA2_PROMPT_IMPORT_INDEX_CACHE_FILE",
        key="storage.promptImportIndexCacheFile",
        help="The index of curated sources; empty for prompt-import-index.json in the user's folder.",
    )
    discovery_file: str = ima2.setting(
        "",
        env="IMA2_PROMPT_IMPORT_DISCOVERY_REGISTRY_FILE",
        key="storage.promptImportDiscoveryRegistryFile",
        help="What was found on GitHub; empty for prompt-import-discovery.json in the user's folder.",
    )
    github_token: SecretStr | None = ima2.setting(
        None, env="IMA2_GITHUB_TOKEN GITHUB_TOKEN", key="github.token", help="Raises the limit of GitHub's search."
    )
    github_api_url: str = ima2.setting(
        "https://api.github.com", env="IMA2_GITHUB_API_URL", help="Where GitHub's API is."
    )
    github_raw_url: str = ima2.setting(
        "https://raw.githubusercontent.com", env="IMA2_GITHUB_RAW_URL", help="Where files of GitHub are."
    )
    lists_folder: str = ima2.setting(
        "",
        env="IMA2_PROMPT_LISTS_FOLDER",
        help="Where the lists of templates are; empty for plugins/prompts/lists in the user's folder.",
    )


def lists_of(ctx: ima2.PluginContext) -> Lists:
    """The lists of templates, where the settings have them now."""
    named: str = ctx.settings.lists_folder
    return Lists(Path(named).expanduser() if named else ctx.data_dir / "lists")
