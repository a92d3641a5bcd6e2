from __future__ import annotations

from rich.console import Console

from aimonk.results.doctor_result import Check, DoctorResult, Status

OK = Check("python", Status.OK, "3.12.1")
NOTE = Check("spark", Status.NOTE, "there is no Java", "apt-get install default-jre-headless")
PROBLEM = Check("tracking store", Status.PROBLEM, "[red]down[/red]", "export MLFLOW_TRACKING_URI=x")


def printed(result: DoctorResult) -> str:
    console = Console(width=72)
    with console.capture() as captured:
        console.print(*result.summary(), sep="\n")
    return captured.get()


def test_notes_do_not_count_as_problems() -> None:
    assert DoctorResult((OK, NOTE)).healthy
    assert not DoctorResult((OK, NOTE, PROBLEM)).healthy


def test_json_holds_every_check_and_null_where_there_is_nothing_to_fix() -> None:
    assert DoctorResult((OK, PROBLEM)).to_json() == {
        "healthy": False,
        "checks": [
            {"name": "python", "status": "ok", "found": "3.12.1", "fix": None},
            {
                "name": "tracking store",
                "status": "problem",
                "found": "[red]down[/red]",
                "fix": "export MLFLOW_TRACKING_URI=x",
            },
        ],
    }


def test_the_summary_shows_the_command_under_what_it_fixes() -> None:
    lines = [line.rstrip() for line in printed(DoctorResult((OK, PROBLEM))).splitlines()]
    assert lines[:3] == [
        "✓  python          3.12.1",
        "✗  tracking store  [red]down[/red]",
        "                   $ export MLFLOW_TRACKING_URI=x",
    ]
    assert lines[-1] == "1 of 2 checks found a problem; run the commands above."


def test_the_last_sentence_without_problems() -> None:
    assert printed(DoctorResult((OK,))).rstrip().endswith("Everything that aimonk needs is here.")
    assert "1 optional part is missing." in printed(DoctorResult((OK, NOTE)))
    assert "2 optional parts are missing." in printed(DoctorResult((OK, NOTE, NOTE)))
