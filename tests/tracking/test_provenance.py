from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aimonk.tracking import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """A repository with a package in it; returns its commit."""
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "__init__.py").write_text("")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return git(folder, "rev-parse", "HEAD")


def test_the_checkout_of_the_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = repository(tmp_path / "checkout")
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path / "checkout" / "package")
    monkeypatch.chdir(tmp_path)
    assert provenance.git_commit() == commit


def test_an_installed_package_is_not_of_the_repository_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path / "around")
    installed = tmp_path / "around" / "ignored"
    installed.mkdir()
    (installed / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "_PACKAGE", installed)
    monkeypatch.chdir(tmp_path)
    assert provenance.git_commit() is None
    project = repository(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    assert provenance.git_commit() == project


def test_without_git_there_is_no_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert provenance.git_commit() is None
