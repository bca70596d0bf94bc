"""What `make spark` finds on a machine, without a Spark."""

import os
import stat
from pathlib import Path

import pytest

from tests.spark import java, listener


def folder_of_java(place: Path, version: str) -> Path:
    binary = place / "bin/java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    return place


def test_java_of_java_home_comes_before_that_of_the_path(tmp_path: Path) -> None:
    named, found = folder_of_java(tmp_path / "a", "17.0.1"), folder_of_java(tmp_path / "b", "21.0.2")
    path = f"{found}/bin{os.pathsep}{os.environ['PATH']}"
    assert java.home({"JAVA_HOME": str(named), "PATH": path}) == named
    assert java.home({"PATH": path}) == found


def test_a_java_that_spark_does_not_run_on_is_passed_over(tmp_path: Path) -> None:
    old, fit = folder_of_java(tmp_path / "a", "1.8.0_402"), folder_of_java(tmp_path / "b", "17")
    path = f"{fit}/bin{os.pathsep}{os.environ['PATH']}"
    assert java.home({"JAVA_HOME": str(old), "PATH": path}) == fit


def test_without_a_java_the_error_says_what_to_do(tmp_path: Path) -> None:
    old = folder_of_java(tmp_path / "a", "11.0.2")
    with pytest.raises(LookupError, match=r"Spark needs Java 17 or 21, and there is .*a \(Java 11\): set JAVA_HOME"):
        java.home({"JAVA_HOME": str(old), "PATH": ""})


def test_a_jar_that_is_not_the_released_one_is_thrown_away(tmp_path: Path) -> None:
    other = tmp_path / f"openlineage-spark_2.13-{listener.VERSION}.jar"
    other.write_bytes(b"another")
    with pytest.raises(LookupError, match="is not the one that was released"):
        listener.jar("2.13", tmp_path)
    assert not other.exists()
