# SPDX-License-Identifier: Apache-2.0
"""A plan of mishaps carried out on a study, and what has to hold after each of them."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM

import damage
import processes
from mishaps import SIGNALS, Mishap
from study_run import Outcome, Place, StudyRun, Wrong

PATIENCE = 120.0  # seconds in which something has to happen
LONGEST_PAUSE = 0.8  # seconds that a process is stopped, or a disk full
# A part that is killed while the check tries it has crashed, for all that the check can tell.
RIGHTLY_WRONG = ("No space left", "while it was tried", "the process that tried it")
MOST_RESUMES = 6  # undisturbed ones until a study has to be finished


class Campaign:
    def __init__(self, place: Place, study: Path, overrides: list[str], say: Callable[[str], None]):
        self.place, self.study, self.overrides, self.say = place, study, overrides, say
        self.kinds, self.damages, self.finished = Counter(), Counter(), 0
        self.slowest_end = 0.0  # seconds until the last process was gone
        self.number = 0
        self.damages_files = True
        self.run: StudyRun | None = None
        self.disk: damage.SmallDisk | None = None
        self.shared_memory = set(os.listdir("/dev/shm"))

    # The undisturbed study

    def undisturbed(self) -> Outcome:
        directory = self.place.folder / "undisturbed"
        self.run = run = StudyRun(self.place, self.study, directory, self.overrides)
        run.start(at_once=2)
        counts = {"driver": [], "zygote": []}
        while run.runs():
            roles = run.roles()
            for role in counts:
                if roles["trial"] and roles[role]:
                    counts[role].append(processes.descriptors(roles[role][0].pid))
            time.sleep(0.02)
        if run.wait(1) != 0:
            raise Wrong(f"the undisturbed study failed: {run.said()}")
        self.seconds = time.monotonic() - run.began
        self.check_ended(run)
        for role, seen in counts.items():
            check_flat(role, [count for count in seen if count > 0])
        self.expected = run.outcome()
        bytes_used = sum(f.stat().st_size for f in run.directory.rglob("*") if f.is_file())
        self.disk = damage.SmallDisk(self.place.folder / "small", 4 + 3 * bytes_used // 2**20)
        return self.expected

    # The disturbed one

    def carry_out(self, plan: list[Mishap]):
        self.begin_anew()
        for mishap in plan:
            draw = mishap.draw()
            self.ensure_running(draw)
            if mishap.is_late:
                self.victims("trial", draw)
            self.sleep(mishap.wait * min(2.0, self.seconds / 5))
            what = self.strike(mishap, draw)
            self.kinds[mishap.kind] += 1
            self.say(f"{mishap.number:4} {mishap.kind}: {what}")
        self.finish()

    def begin_anew(self):
        self.number += 1
        directory = self.place.folder / "small" / f"disturbed-{self.number}"
        self.run = StudyRun(self.place, self.study, directory, self.overrides)

    def ensure_running(self, draw: random.Random):
        """A study that has ended well in spite of all is compared, and another begun."""
        if self.run.runs():
            return
        if self.run.driver is not None:
            self.ended(draw)
        self.run.start(at_once=draw.choice([2, 2, 3, 4]))

    def sleep(self, seconds: float):
        end = time.monotonic() + seconds
        while self.run.runs() and time.monotonic() < end:
            time.sleep(min(0.005, max(0.0, end - time.monotonic())))

    def victims(self, role: str, draw: random.Random) -> list[processes.Process]:
        """Waits until there is such a process."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.ensure_running(draw)
            roles = self.run.roles()
            found = roles[role] or (roles["trial"] if role == "tracker" else [])
            if found:
                return found
            time.sleep(0.002)
        raise Wrong(f"no {role} for {PATIENCE:.0f} s: {self.run.said()}")

    def strike(self, mishap: Mishap, draw: random.Random) -> str:
        act = getattr(self, "do_" + mishap.kind.replace(" ", "_"))
        return act(mishap, draw)

    def signal_one(self, role: str, mishap: Mishap, draw: random.Random) -> str:
        victim = draw.choice(self.victims(role, draw))
        processes.strike(victim.pid, SIGNALS[mishap.signal])
        if role == "driver":
            self.run.wait(PATIENCE)
        return f"SIG{mishap.signal.upper()} to {victim}"

    def do_driver(self, mishap, draw):
        return self.signal_one("driver", mishap, draw)

    def do_zygote(self, mishap, draw):
        return self.signal_one(draw.choice(["zygote", "guard"]), mishap, draw)

    def do_trial(self, mishap, draw):
        return self.signal_one("trial", mishap, draw)

    def do_tracker(self, mishap, draw):
        return self.signal_one("tracker", mishap, draw)

    def kill_driver(self):
        self.run.driver.send_signal(SIGKILL)
        self.run.wait(PATIENCE)

    def do_driver_at_start(self, mishap, draw):
        self.kill_driver()
        self.ensure_running(draw)
        begin = time.monotonic()
        self.sleep(0.7 * mishap.hold**2)  # more often than not before the first trial
        self.kill_driver()
        return f"SIGKILL after {time.monotonic() - begin:.3f} s"

    def do_driver_in_seal(self, mishap, draw):
        """Interrupted, the driver seals what there is; if it was too quick, `paribus seal` does it again."""
        self.victims("trial", draw)
        self.run.driver.send_signal(SIGINT)
        if self.kill_at_draft(self.run.driver, draw):
            return "SIGKILL while it wrote results.h5, after SIGINT"
        self.check_ended(self.run)
        sealing = self.place.start("seal", self.run.directory)
        if self.kill_at_draft(sealing, draw):
            return "SIGKILL to `paribus seal` while it wrote results.h5"
        return "too late: results.h5 was written"

    def kill_at_draft(self, process, draw) -> bool:
        end = time.monotonic() + PATIENCE
        while process.poll() is None:
            if time.monotonic() > end:
                raise Wrong("the driver did not end after SIGINT")
            if any(self.run.directory.glob(".results.h5*")):
                time.sleep(draw.random() * 0.004)
                process.kill()
                return process.wait(PATIENCE) == -SIGKILL
        return False

    def do_driver_twice(self, mishap, draw):
        driver = self.victims("driver", draw)[0]
        processes.strike(driver.pid, SIGINT)
        time.sleep(0.05 * mishap.hold)
        processes.strike(driver.pid, SIGINT)
        self.run.wait(PATIENCE)
        return f"SIGINT twice to {driver}"

    def do_pause(self, mishap, draw):
        victim = draw.choice(self.victims(mishap.role, draw))
        processes.strike(victim.pid, SIGSTOP)
        time.sleep(mishap.hold * LONGEST_PAUSE)
        processes.strike(victim.pid, SIGCONT)
        return f"{victim} stopped for {mishap.hold * LONGEST_PAUSE:.3f} s"

    def do_killed_while_paused(self, mishap, draw):
        role = mishap.role if mishap.role != "driver" else "guard"
        victim = draw.choice(self.victims(role, draw))
        processes.strike(victim.pid, SIGSTOP)
        time.sleep(mishap.hold * 0.1)
        self.kill_driver()
        return f"SIGKILL to the driver while {victim} was stopped"

    def do_several(self, mishap, draw):
        self.victims("trial", draw)
        living = [one for found in self.run.roles().values() for one in found]
        victims = draw.sample(living, min(len(living), draw.randint(2, 5)))
        for victim in victims:
            processes.strike(victim.pid, SIGKILL)
        if any(victim.program == "paribus" for victim in victims):
            self.run.wait(PATIENCE)
        return "SIGKILL to " + ", ".join(map(str, victims))

    def do_disk_full(self, mishap, draw):
        if not self.disk.is_small:
            return self.signal_one("trial", mishap, draw)
        self.victims("trial", draw)
        left = draw.choice([0, 0, 4096, 65536])
        self.disk.fill(left)
        time.sleep(mishap.hold * LONGEST_PAUSE)
        self.disk.empty()
        return f"{left} bytes left on the disk for {mishap.hold * LONGEST_PAUSE:.3f} s"

    def clean_up(self):
        if self.run:
            self.run.kill_all()
        if self.disk:
            self.disk.remove()

    # What has to hold

    def ended(self, draw: random.Random):
        self.check_ended(self.run)
        self.check_not_stuck()
        if self.run.driver.returncode == 0:
            self.compare()
            self.run.remove()
            return self.begin_anew()
        return self.damage_files(draw)

    def check_ended(self, run: StudyRun):
        """The driver is gone: so is every other process, one second later."""
        status = run.wait(PATIENCE)
        left, took = processes.left_after(self.place.mark, run.sessions)
        self.slowest_end = max(self.slowest_end, took)
        if left:
            raise Wrong("orphans a second after the driver's end: " + ", ".join(map(str, left)))
        if status not in (0, 1, 2, 130, -SIGKILL, -SIGINT, -SIGTERM):
            raise Wrong(f"the driver ended with {status}: {run.said()}")
        if status == 2 and not any(text in run.said() for text in RIGHTLY_WRONG):
            raise Wrong(f"the driver found the study wrong: {run.said()}")

    def check_not_stuck(self):
        """Readers work on whatever was left, and call nothing running."""
        if not (self.run.directory / "journal" / "study.log").exists():
            return
        end = time.monotonic() + 1
        while True:
            told = self.place.command("results", self.run.directory, "--json")
            if told.returncode == 2 and "no plan" not in told.stderr:
                raise Wrong(f"`paribus results` of a killed study: {told.stderr}")
            if told.returncode != 0 or '"running"' not in told.stdout:
                return
            if time.monotonic() > end:
                raise Wrong(f"trials stuck as running:\n{told.stdout}")

    def damage_files(self, draw: random.Random):
        directory = self.run.directory
        if not self.damages_files or not (directory / "checkpoints").exists():
            return
        act = draw.choice([None, damage.cut_journals, damage.half_write, damage.drop_temporaries])
        if act is None:
            return
        said = act(directory, draw)
        if said:
            self.damages[act.__name__.replace("_", " ")] += len(said)
        for line in said:
            self.say(f"     {line}")
        self.place.command("fsck", directory)  # whatever it says, it may not crash

    def finish(self):
        """Without further harm, a resume or a few end the study."""
        if self.run.driver is None:
            self.run.start(at_once=2)
        for _ in range(MOST_RESUMES):
            self.run.wait(10 * PATIENCE)
            self.check_ended(self.run)
            if self.run.driver.returncode == 0:
                return self.compare()
            self.run.start(at_once=2)
        raise Wrong(f"not finished after {MOST_RESUMES} resumes: {self.run.said()}")

    def compare(self):
        self.finished += 1
        self.place.answer("fsck", self.run.directory)
        problems = self.run.outcome().differences(self.expected)
        leaked = set(os.listdir("/dev/shm")) - self.shared_memory
        leaked |= set(os.listdir(self.place.folder / "temporary"))
        problems += [f"left behind: {name}" for name in sorted(leaked)]
        problems += [
            f"{row['id']} is {row['status']}" for row in self.run.rows() if row["status"] != "done"
        ]
        if problems:
            raise Wrong("\n".join(problems))


def check_flat(role: str, counts: list[int]):
    """Descriptors late in the run are as many as early in it; single ones come and go."""
    if len(counts) < 8:
        raise Wrong(
            f"only {len(counts)} looks at the {role}'s descriptors; a longer study is needed"
        )
    quarter = len(counts) // 4
    early, late = min(counts[:quarter]), min(counts[-quarter:])
    if late > early + 2:
        raise Wrong(f"the {role} had {early} descriptors early in the run, {late} late in it")
