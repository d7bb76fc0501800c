# SPDX-License-Identifier: Apache-2.0
"""`watch --web --control`: trials are stopped from the page, and by nobody who isn't its own script."""

import os
import signal

import pytest
from test_terminal import goes_on_as_if_alone, held_study
from test_web_page import browser, read  # noqa: F401
from watching import made, paribus


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
    folder = tmp_path / "watched"
    run, first, trial = held_study(tmp_path)
    reader = read(serve(folder, "--control"))
    row = reader.page.locator(f"#run-{first}")
    row.locator("button", has_text="Stop").click()
    looked = reader.page.evaluate("last ? last.at : 0")
    reader.until(f"last && last.at > {looked}")  # the page grew meanwhile
    assert row.locator("button").inner_text() == "Press again to stop it: it can be resumed"
    row.locator("button").click()
    reader.until(f"document.querySelector('#run-{first}').innerText.includes('asked to stop')")
    os.kill(trial, signal.SIGCONT)
    reader.until("document.querySelector('#study-state').innerText.includes('1 stopped')")
    reader.until("document.querySelector('#running').innerText.includes('No trial runs')")
    goes_on_as_if_alone(tmp_path, run)
