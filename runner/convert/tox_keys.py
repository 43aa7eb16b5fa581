"""The settings that tox has, with their old names, and what becomes of those without a word here.

Knows no file.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEW_NAMES = {
    "envlist": "env_list",
    "setenv": "set_env",
    "passenv": "pass_env",
    "basepython": "base_python",
    "changedir": "change_dir",
    "usedevelop": "use_develop",
    "skipsdist": "no_package",
    "minversion": "min_version",
    "toxinidir": "tox_root",
    "toxworkdir": "work_dir",
    "envdir": "env_dir",
    "sitepackages": "system_site_packages",
    "envlogdir": "env_log_dir",
    "envtmpdir": "env_tmp_dir",
    "alwayscopy": "always_copy",
    "ignore_basepython_conflict": "ignore_base_python_conflict",
    "whitelist_externals": "allowlist_externals",
    "isolated_build_env": "package_env",
}


def canonical(key: str) -> str:
    """The name that a setting has today."""
    return _NEW_NAMES.get(key.lower(), key.lower())


def words_of(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Those that the reader asks for.
READ = words_of("""
    env_list set_env base_python change_dir use_develop no_package allowlist_externals deps
    commands commands_pre commands_post description extras dependency_groups package
    skip_install depends labels platform ignore_outcome ignore_errors recreate pip_pre
    install_command constraints system_site_packages runner uv_resolution base
    skip_missing_interpreters requires default_base_python
    uv_sync_flags no_default_groups
""")

# What needs no word here, since runenv does so anyway, or has nothing of the kind to set.
NOT_NEEDED = words_of("""
    pass_env min_version isolated_build wheel_build_env ignore_base_python_conflict download
    parallel_show_output provision_tox_env package_env work_dir tox_root temp_dir env_log_dir
    env_tmp_dir constrain_package_deps use_frozen_constraints always_copy downloadcache distdir
    distshare suicide_timeout interrupt_timeout terminate_timeout uv_sync_locked uv_seed
    uv_python_preference list_dependencies_command venv_redirect meta_dir
    pkg_dir package_root setupdir hashseed runner_args fresh_subprocess
""")

# What cannot be said in an envfile, with the reason.
LEFT: Mapping[str, str] = {
    "args_are_paths": "arguments behind -- are handed on as they are",
    "base_python_file": "write python= into the session",
    "package_glob": "runenv builds the project itself",
    "env_dir": "",  # decided by who shares it
    "disallow_pass_env": "env={'NAME': None} takes a variable away",
    "indexserver": "configure the index for uv and pip",
    "fail_fast": "runenv --fail-fast ends a run after the first failure",
    "commands_retry": "session.run(..., retries=2)",
    "extra_setup_commands": "session.run_install(...)",
    "recreate_commands": "there is nothing that runs only in a new environment",
    "pylock": "requirements=['pylock.toml']",
    "virtualenv_spec": "the backend's version is that which is installed",
    "interrupt_post_commands": "a finally block runs in any case",
    "only_groups": "",
    "script": "session.install_and_run_script(...)",
    "on_platform": "",
    "labels": "",
}

KNOWN = READ | NOT_NEEDED | LEFT.keys()

# What tox has for itself alone, and not for an environment.
_OF_TOX = words_of("""
    env_list min_version requires work_dir temp_dir tox_root package_root provision_tox_env
    ignore_base_python_conflict on_platform
""")
# What matters for an environment, and is nothing that tox has for itself.
_OF_ENVIRONMENTS = (
    (READ | LEFT.keys())
    - _OF_TOX
    - words_of("""
    labels no_package skip_missing_interpreters default_base_python base indexserver package_glob
""")
)


def why_unread(key: str, *, of_tox: bool) -> str:
    """Why tox does not read a setting where it stands; "" where it does.

    of_tox: it stands with those of tox itself, and not of an environment.
    """
    name = canonical(key)
    if name not in KNOWN:
        return "tox has no such setting"
    if of_tox and name in _OF_ENVIRONMENTS:
        return "tox has it only for an environment"
    return "tox has it only for all environments" if not of_tox and name in _OF_TOX else ""
