"""A history, told to the service and to the model at once.

A history is {"zone", "now", "steps"}. Its first step creates a task, the others name one by `of`:
0 is the newest, 1 the one before or, where there is none, that; of those that are open where only
an open one makes sense, and of those that are gone where one is restored. Times are relative. So a history still makes sense when steps are left out:

    {"do": "create", "kind": "local", "due": "2026-11-30T09:00:00", "rule": "weekly"}
    {"do": "update", "of": 0, "scope": "following", "days": -3, "time": "10:00:00"}
    {"do": "complete", "of": 0, "when": ["due", -60]}      an hour before the newest is due
    {"do": "uncomplete", "of": 1, "when": ["step", 5]}     five minutes after the step before
    {"do": "update of any", "of": 0, …}                    of a task that may be done

A step about whose outcome the model takes no side is left out.
"""

import copy
import datetime

from model import UTC, Due, Model, Refused, Rule, Unspecified, instant_of

OF_OPEN = ("complete", "skip", "update", "remind", "forget")
MINUTE = datetime.timedelta(minutes=1)


class Mismatch(Exception):
    def __init__(self, told, why):
        super().__init__(why)
        self.told = told  # what the service was told, and what it answered


def text_of(at):
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def read(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Skipped(Exception):
    """The step makes no sense here."""


def moment_of(step, model, now):
    if "now" in step:
        return read(step["now"])
    how, minutes = step.get("when", ["step", 1])
    then = now
    if how == "due" and model.visible():
        then = model.visible()[-1].due.at.replace(second=30)
    try:
        return max(now + MINUTE, then + minutes * MINUTE)
    except OverflowError as error:
        raise Skipped from error


def due_of(step, task, zone):
    """The due date that a step gives, for the model and for the service."""
    kind = step.get("kind") or task.due.kind
    try:
        if "due" in step:
            local = datetime.datetime.fromisoformat(step["due"].removesuffix("Z"))
            if step["due"].endswith("Z"):
                return Due.at_instant(local.replace(tzinfo=UTC), zone)
        else:
            local = task.due.local + datetime.timedelta(days=step.get("days", 0))
        if "time" in step:
            local = datetime.datetime.combine(
                local.date(), datetime.time.fromisoformat(step["time"])
            )
        if kind == "date":
            local = datetime.datetime.combine(local.date(), datetime.time())
        if not 1971 < local.year < 2300:
            raise Skipped
    except OverflowError as error:
        raise Skipped from error
    if kind == "instant":
        return Due.at_instant(instant_of(local, zone), zone)
    return Due.at_local(kind, local, zone)


def told_due(due):
    return {"due_date": text_of(due.at)} if due.kind == "instant" else {"due_local": due.shown()}


def perform(model, step, told):
    """Does to the model what `step` says, and adds to `told` what the service is to be told."""
    do, told["do"] = step["do"], step["do"].split()[0]
    if do == "wait":
        return
    if do == "create":
        zone = step.get("time_zone", model.user_zone)
        due = due_of(step, None, zone)
        told.update(told_due(due), title=step.get("title", "tea"))
        told.update({name: step[name] for name in ("rule", "basis", "time_zone") if name in step})
        model.create(told["title"], due, zone, step.get("rule"), step.get("basis", "schedule"))
        return
    if do == "restore":
        tasks = [task for _, task in sorted(model.tasks.items()) if not task.visible]
    else:
        tasks = [task for task in model.visible() if task.open or do not in OF_OPEN]
    if not tasks:
        raise Skipped
    task = tasks[max(-len(tasks), -1 - step.get("of", 0))]
    told["occurrence"] = task.occurrence
    scope = step.get("scope", "")
    if scope:
        told["scope"] = scope
    if do in ("complete", "uncomplete", "skip", "restore", "stop"):
        getattr(model, do)(task)
    elif do == "delete":
        model.delete(task, scope)
    elif do == "remind":
        when = {}
        if "before_due" in step or "at" in step:
            at = (
                read(step["at"])
                if "at" in step
                else task.due.at - datetime.timedelta(minutes=step["before_due"])
            )
            told["at"] = text_of(at)
            when["at"] = at
        elif "time_of_day" in step:
            told.update(before=f"P{step['before_days']}D", time_of_day=step["time_of_day"])
            when["days"] = step["before_days"]
            when["time_of_day"] = datetime.time.fromisoformat(step["time_of_day"])
        elif "before_days" in step:
            told["before"] = f"P{step['before_days']}D"
            when["days"] = step["before_days"]
        else:
            told["before"] = f"PT{step['before_minutes']}M"
            when["seconds"] = step["before_minutes"] * 60
        model.remind(task, **when)
    elif do == "forget":
        numbers = [reminder.number for reminder in task.reminders]
        if not numbers:
            raise Skipped
        told["number"] = numbers[step.get("which", 0) % len(numbers)]
        model.forget(task, told["number"])
    else:
        assert told["do"] == "update", do
        zone = step.get("time_zone") or task.zone
        changes = {}
        if any(name in step for name in ("days", "time", "due", "kind")):
            changes["due"] = due_of(step, task, zone)
            told.update(told_due(changes["due"]))
        for name, of_model in (("title",) * 2, ("time_zone", "zone"), ("rule",) * 2, ("basis",) * 2):
            if name in step:
                told[name] = changes[of_model] = step[name]
        if "add" in step:  # COUNT or UNTIL
            if not task.schedule:
                raise Skipped
            told["rule"] = changes["rule"] = (
                ";".join(
                    f"{name}={value_text(value)}"
                    for name, value in sorted(
                        task.schedule.rule.parts, key=lambda part: part[0] != "FREQ"
                    )
                )
                + step["add"]
            )
        if not changes:
            raise Skipped
        model.update(task, scope, **changes)


def value_text(value):
    if not isinstance(value, tuple):
        return str(value)
    return ",".join(f"{v[0] or ''}{v[1]}" if isinstance(v, tuple) else str(v) for v in value)


def check(model, answer):
    """Why what the service shows is not what the model expects; empty: it is."""
    found = {task["occurrence"] or 1: task for task in answer["tasks"]}
    wanted = {task.occurrence: task for task in model.visible()}
    if sorted(found) != sorted(wanted) or len(found) != len(answer["tasks"]):
        return f"occurrences {sorted(found)}, expected {sorted(wanted)}" + "".join(
            f"; {n} due {task.due.shown() or text_of(task.due.at)}"
            for n, task in wanted.items()
            if n not in found
        )
    wrong = []
    for number, task in wanted.items():
        theirs = found[number]

        def same(what, ours, got):
            if ours != got:
                wrong.append(f"{what} of {number} is {got!r}, expected {ours!r}")

        same("title", task.title, theirs["title"])
        same("due_kind", task.due.kind, theirs["due_kind"])
        same("due_local", task.due.shown(), theirs["due_local"])
        same("due_date", text_of(task.due.at), theirs["due_date"])
        same("time_zone", task.zone, theirs["time_zone"])
        same("completed", bool(task.completed_at), theirs["completed"])
        if not task.open:
            continue
        task.may_end = task.may_end or model.all_deleted_after(task)
        if task.may_end and theirs["rule"] is None:
            task.schedule = None
        if not task.schedule or not theirs["rule"]:
            same("rule", task.schedule and task.schedule.rule.shown(), theirs["rule"])
        else:
            rule = Rule.parse(theirs["rule"])
            same("rule", task.schedule.rule.shown(), rule.shown())
            same("UNTIL", task.schedule.rule.until, rule.until)
            same("COUNT", task.left is None, rule.count is None)
            same("basis", task.schedule.basis, theirs["basis"])
            same("missed", task.missed, theirs["missed"])
        ours = sorted(reminder.instant(task) for reminder in task.reminders)
        same(
            "reminders",
            [(text_of(at), at > model.now) for at in ours],
            sorted((r["remind_at"], r["state"] == "pending") for r in theirs["reminders"]),
        )
    return "; ".join(wrong)


def play(history, probe, store="", tally=None):
    """Raises Mismatch; else answers what the service was told and what it answered."""
    probe.ask(do="begin", zone=history["zone"], store=store)
    model, told_all = Model(history["zone"]), []
    ids = {}  # of all tasks that were ever shown, by occurrence
    model.now = read(history["now"])
    for step in [*history["steps"], {"do": "wait", "when": ["step", 5]}]:
        trial = copy.deepcopy(model)
        told, refusal = {}, None
        try:
            trial.now = moment_of(step, model, model.now)
            before = copy.deepcopy(trial)
            try:
                perform(trial, step, told)
                if told.get("occurrence", 1) not in ids and step["do"] != "create":
                    raise Skipped  # it was made and taken away at once
            except Refused as refused:
                refusal, trial = refused, before
            if step.get("deliver") != "later":
                trial.deliver()
        except (Skipped, Unspecified) as reason:
            if tally is not None:
                tally[f"left out: {reason}" if str(reason) else "left out: no such task"] += 1
            if step["do"] == "create":
                return told_all
            continue
        model = trial
        told["now"] = text_of(model.now)
        if "deliver" in step:
            told["deliver"] = step["deliver"]
        question = dict(told)
        if "occurrence" in told:
            question["id"] = ids[question.pop("occurrence")]
        answer = probe.ask(**question)
        told_all.append((told, answer))
        ids.update({task["occurrence"] or 1: task["id"] for task in answer.get("tasks", [])})
        if tally is not None:
            tally[f"{step['do']} {step.get('scope', '')}".strip()] += 1
        if "failed" in answer:
            raise Mismatch(told_all, f"the probe failed: {answer['failed']}")
        refused = answer.get("refused")
        if refused and refused["code"] not in (
            "INVALID_ARGUMENT",
            "FAILED_PRECONDITION",
            "OUT_OF_RANGE",
        ):
            raise Mismatch(told_all, f"an odd refusal: {refused}")
        if bool(refused) != bool(refusal):
            raise Mismatch(told_all, f"refused: {refused}" if refused else str(refusal))
        if refusal and refusal.names:
            if not any(name in refused["message"].upper() for name in refusal.names):
                raise Mismatch(told_all, f"{refusal}, the message is {refused['message']!r}")
        if step["do"] == "create" and refused:
            return told_all
        if wrong := check(model, answer):
            raise Mismatch(told_all, wrong)
    return told_all


def report(mismatch, history):
    lines = [f"user in {history['zone']}"]
    for told, answer in mismatch.told:
        now = told["now"]
        rest = " ".join(f"{k}={v}" for k, v in told.items() if k not in ("do", "now"))
        lines.append(f"{now}  {told['do']} {rest}")
        if "refused" in answer:
            lines.append(f"        refused: {answer['refused']}")
    for task in mismatch.told[-1][1].get("tasks", []):
        due = task["due_local"] or task["due_date"]
        lines.append(
            f"    {task['occurrence']}: {task['title']!r} due {due} ({task['due_date']} {task['time_zone']})"
            f" {'done' if task['completed'] else 'open'} rule={task['rule']} {task['basis']}"
            f" missed={task['missed']} reminders={[r['remind_at'] + ' ' + r['state'] if r['remind_at'] else r['state'] for r in task['reminders']]}"
        )
    lines.append(f"wrong: {mismatch}")
    return "\n".join(lines)


def shown_in(history, probe, store=""):
    """What the service showed after each step, right or wrong, without the ids of tasks."""
    try:
        told = play(history, probe, store=store)
    except Mismatch as mismatch:
        told = mismatch.told
    for _, answer in told:
        for task in answer.get("tasks", []):
            del task["id"]
        answer.get("refused", {}).pop("message", None)  # may name the task
    return [answer for _, answer in told]


def failure_of(history, probe, **options):
    try:
        play(history, probe, **options)
    except Mismatch as mismatch:
        return mismatch
    return None


def shrink(history, probe):
    """A shorter history that the service gets wrong too."""
    found = True
    while found:
        found = False
        steps = history["steps"]
        trials = [steps[:i] + steps[i + 1 :] for i in range(len(steps) - 1, 0, -1)]
        for i, step in enumerate(steps):
            for name in ("deliver", "when", "time", "title", "kind", "basis"):
                if i > 0 and name in step:
                    smaller = {key: value for key, value in step.items() if key != name}
                    trials.append([*steps[:i], smaller, *steps[i + 1 :]])
        for trial in trials:
            smaller = {**history, "steps": trial}
            if failure_of(smaller, probe):
                history, found = smaller, True
                break
    return history
