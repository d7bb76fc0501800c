# SPDX-License-Identifier: Apache-2.0
"""`watch --web --control`: trials are stopped from the page, and by nobody who isn't its own script."""

import json
import os
import signal
import subprocess
import time

import pytest
from test_terminal import STUDY, process_of, run_study, weights_of
from test_web_page import browser, read  # noqa: F401
from watching import ENVIRONMENT, PARIBUS, made, paribus


def order(served, trial, **fields):
    """POST as the page's script sends it."""
    asked = {"Origin": f"http://{served.here}", "Content_Length": "0"} | fields
    return served.ask(path=f"{served.path}stop?trial={trial}", method="POST", **asked)


def test_only_where_it_was_asked_for(tmp_path, serve):
    served = serve(made.two_arms(tmp_path / "s"))
    assert order(served, "00000000")[0] == 405
    assert served.page_data()["live"]["control"] is False
    assert "--web" in paribus("watch", tmp_path / "s", "--control", status=2).stderr


@pytest.mark.parametrize(
    ("status", "trial", "fields"),
    [
        (403, "00", {"Origin": "http://evil.example"}),
        (403, "00", {"Origin": "null"}),
        (403, "00", {"host": "evil.example:80", "Origin": "http://evil.example:80"}),
        (403, "00", {"Sec_Fetch_Site": "cross-site"}),
        (400, "", {}),
        (400, "../00", {}),
        (400, "0" * 65, {}),
        (400, "00", {"Content_Length": "5"}),
        (409, "00", {}),  # there is none of that id
        (409, "00000000", {}),  # it is done
    ],
)
def test_who_and_what_is_refused(tmp_path, serve, status, trial, fields):
    served = serve(made.two_arms(tmp_path / "s"), "--control")
    served.page_data()  # it has looked at the study
    got, _, text = order(served, trial, **fields)
    assert got == status, text
    assert served.path.strip("/") not in text


def test_without_an_origin_or_token(tmp_path, serve):
    served = serve(made.two_arms(tmp_path / "s"), "--control")
    path = served.path + "stop?trial=00000000"
    assert served.ask(path=path, method="POST", Content_Length="0")[0] == 403
    wrong = "/" + "0" * 48 + "/stop?trial=00000000"
    origin = f"http://{served.here}"
    assert served.ask(path=wrong, method="POST", Content_Length="0", Origin=origin)[0] == 404
    assert served.ask(path=path)[0] == 404, "an order is no page"
    assert served.ask(method="POST", Content_Length="0", Origin=origin)[0] == 404
    assert served.ask(method="DELETE", Origin=origin)[0] == 405


def test_a_real_trial_is_stopped_and_taken_up_again(tmp_path, serve, read):  # noqa: F811
    (tmp_path / "study.toml").write_text(STUDY)
    folder = tmp_path / "watched"
    run = run_study(tmp_path, "watched")
    status = json.loads(paribus("status", folder, "--json").stdout)
    first = next(t["id"] for t in status["trials"] if (t["arm"], t["seed"]) == ("sgd", 0))
    trial = process_of(folder / "journal" / f"{first}.log")
    os.kill(trial, signal.SIGSTOP)  # or it might be over before the button is pressed
    reader = read(serve(folder, "--control"))
    row = reader.page.locator(f"#run-{first}")
    row.locator("button", has_text="Stop").click()
    time.sleep(1.5)  # the page grows meanwhile
    assert row.locator("button").inner_text() == "Press again to stop it: it can be resumed"
    row.locator("button").click()
    reader.until(f"document.querySelector('#run-{first}').innerText.includes('asked to stop')")
    os.kill(trial, signal.SIGCONT)
    reader.until("document.querySelector('#study-state').innerText.includes('1 stopped')")
    reader.until("document.querySelector('#running').innerText.includes('No trial runs')")
    _, err = run.communicate(timeout=120)
    assert run.returncode == 1 and b"go on with: paribus resume" in err
    resume = [PARIBUS, "resume", "watched", "-q", "--no-report"]
    subprocess.run(resume, cwd=tmp_path, env=ENVIRONMENT, check=True, capture_output=True)
    assert run_study(tmp_path, "alone").wait(120) == 0
    assert weights_of(tmp_path, "watched") == weights_of(tmp_path, "alone")
